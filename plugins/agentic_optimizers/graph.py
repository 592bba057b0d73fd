"""The beliefs a plan can lead to: a graph, not a tree, because equal beliefs are one node.

Level by level, every action and every outcome of every distinct belief. In a fully observed world the nodes are the
states, and planning on the graph is dynamic programming; under partial observation they are the reachable beliefs.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from agentic import Categorical, ExpectedEnergy, FiniteModel, UserError

DIGITS = 11  # beliefs that agree to so many digits are one
NEGLIGIBLE = 1e-14  # outcomes less likely than this are left out
BLOCK = 8_000_000  # numbers one expansion may hold at once


@final
@dataclass
class BeliefGraph:
    """Distinct beliefs (m, n) in the order found, and for those expanded, per action and outcome, where they lead.

    `levels[t]` nodes are known after level t. `parts` are one-step terms (m, a); `children` (m, a, o) index the nodes
    that follow with probability `chances` (m, a, o), still alive; the rest of 1 is the end of the episode.
    """

    beliefs: Tensor
    levels: list[int]
    parts: dict[str, Tensor]
    children: Tensor
    chances: Tensor
    known: dict[bytes, int] = field(repr=False)

    @property
    def closed(self) -> bool:
        """Whether every node is expanded, so that any horizon can be planned on it."""
        return len(self.children) == len(self.beliefs)

    def rows(self, depth: int) -> slice:
        """The nodes that are reached within `depth` steps; all of them where the graph is closed."""
        return slice(0, len(self.beliefs) if self.closed else self.levels[depth])

    def expected(self, rows: slice, values: Tensor) -> Tensor:
        """The mean of `values` (m,) over what follows each action at the nodes `rows`, (rows, a)."""
        chances = self.chances[rows]
        return torch.where(chances > 0, chances * values[self.children[rows]], 0.0).sum(-1)

    def find(self, beliefs: Tensor) -> Tensor | None:
        """Indices (b,) of the nodes equal to `beliefs` (b, n); None where one is missing."""
        indices = [self.known.get(key) for key in _keys(beliefs.numpy())]
        return None if None in indices else torch.tensor(indices)


def grow(f: ExpectedEnergy, model: FiniteModel, limit: int) -> BeliefGraph:
    """The graph of `f` from its belief (b, n), as deep as its horizon. Raises UserError beyond `limit` nodes."""
    known: dict[bytes, int] = {}
    frontier = _fresh(f.belief.mean.numpy(), known)
    nodes, levels, expanded = [frontier], [len(known)], []
    for depth in range(f.purpose.horizon):
        found = []
        for block in _blocks(frontier, model):
            piece = _expand(f, model, torch.from_numpy(block), known)
            expanded.append(piece)
            found.append(piece.fresh)
        frontier = np.concatenate(found)
        nodes.append(frontier)
        levels.append(len(known))
        if len(known) > limit:
            raise UserError(
                f"tree met {len(known)} different beliefs within {depth + 1} of {f.purpose.horizon} steps, more than "
                f"its limit of {limit}: shorten the horizon or raise limit"
            )
        if not len(frontier):
            break
    return BeliefGraph(
        beliefs=torch.from_numpy(np.concatenate(nodes)),
        levels=levels,
        parts={name: torch.cat([piece.parts[name] for piece in expanded]) for name in expanded[0].parts},
        children=torch.cat([piece.children for piece in expanded]),
        chances=torch.cat([piece.chances for piece in expanded]),
        known=known,
    )


class _Expansion(NamedTuple):
    """What expanding some nodes gave: their parts (m, a), where they lead, and the beliefs not met before."""

    parts: dict[str, Tensor]
    children: Tensor
    chances: Tensor
    fresh: np.ndarray


def _expand(f: ExpectedEnergy, model: FiniteModel, beliefs: Tensor, known: dict[bytes, int]) -> _Expansion:
    actions, here = model.action.corners().unsqueeze(1), f.at(Categorical(beliefs))
    _, parts = here.advance(here.root(), actions)
    ahead = model.predict(here.belief, actions).mean
    joint = ahead.transpose(0, 1).unsqueeze(-2) * model.likelihood()
    alive = model.alive(torch.eye(joint.shape[-1], dtype=joint.dtype))
    joint = joint if alive is None else joint * alive
    chances = joint.sum(-1)
    likely = chances > NEGLIGIBLE
    chances = torch.where(likely, chances, 0.0)
    after = (joint[likely] / chances[likely].unsqueeze(-1)).numpy()
    fresh = _fresh(after, known)
    children = torch.zeros(likely.shape, dtype=torch.int64)
    children[likely] = torch.tensor([known[key] for key in _keys(after)], dtype=torch.int64)
    tabled = {name: part.expand(ahead.shape[:-1]).T for name, part in parts.items()}
    return _Expansion(tabled, children, chances, fresh)


def _blocks(frontier: np.ndarray, model: FiniteModel) -> list[np.ndarray]:
    width = model.action.count * len(model.likelihood()) * frontier.shape[-1]
    return np.array_split(frontier, max(1, -(-len(frontier) * width // BLOCK)))


def _keys(beliefs: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in np.round(beliefs, DIGITS) + 0.0]


def _fresh(beliefs: np.ndarray, known: dict[bytes, int]) -> np.ndarray:
    """The rows not met before, once each, in order; `known` is extended by them."""
    fresh = []
    for row, key in zip(beliefs, _keys(beliefs), strict=True):
        if key not in known:
            known[key] = len(known)
            fresh.append(row)
    return np.array(fresh, dtype=np.float64).reshape(len(fresh), beliefs.shape[-1])
