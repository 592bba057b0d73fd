"""The beliefs a plan can lead to: a graph, not a tree, because equal beliefs are one node.

Level by level, every action and every outcome of every distinct belief. In a fully observed world the nodes are the
states, and planning on the graph is dynamic programming; under partial observation they are the reachable beliefs.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from agentic import Categorical, ExpectedEnergy, FiniteModel, Simplex, UserError
from agentic.models import Branching
from agentic_optimizers.folded import fold

DIGITS, SINGLE = 11, 5  # beliefs that agree to so many digits are one, in double and in single precision
BLOCK = 8_000_000  # numbers one expansion may hold at once
OUTCOMES = 64  # of one belief and action that it counts on, where there are more
ROWS = 256  # states whose parts are computed at once


@final
@dataclass
class BeliefGraph:
    """Distinct beliefs (m, n) in the order found, and for those expanded, per action, where they lead.

    `levels[t]` nodes are known after level t. `parts` are one-step terms (m, a); `children` (m, a, k) index the nodes
    that follow with probability `chances` (m, a, k), still alive; the rest of 1 is the end of the episode. `sure` says
    that node i is the belief that is sure of state i.
    """

    beliefs: Tensor
    levels: list[int]
    parts: dict[str, Tensor]
    children: Tensor
    chances: Tensor
    known: dict[bytes, int] = field(repr=False)
    sure: bool = False

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
        if self.sure:
            return beliefs.argmax(-1) if _sure(beliefs) else None
        indices = [self.known.get(key) for key in keys_of(beliefs.numpy())]
        return None if None in indices else torch.tensor(indices)


def grow(f: ExpectedEnergy, model: Branching, limit: int) -> BeliefGraph:
    """The graph of `f` from its belief (b, n), as deep as its horizon. Raises UserError beyond `limit` nodes."""
    if isinstance(model, FiniteModel) and model.latent.count <= limit and _sure(f.belief.mean) and model.revealing():
        return _observed(f, model)
    known: dict[bytes, int] = {}
    frontier = _fresh(f.belief.mean.numpy(), known)
    nodes, levels, expanded = [frontier], [len(known)], []
    for depth in range(f.purpose.horizon):
        found = []
        for block in _blocks(f, model, frontier):
            piece = _expand(f, model, torch.from_numpy(block), known)
            expanded.append(piece)
            found.append(piece.fresh)
        frontier = np.concatenate(found)
        nodes.append(frontier)
        levels.append(len(known))
        if len(known) > limit:
            raise UserError(
                f"tree met {len(known)} different beliefs within {depth + 1} of {f.purpose.horizon} steps, more than "
                f"its limit of {limit}: shorten the horizon, raise limit or use mcts"
            )
        if not len(frontier):
            break
    return BeliefGraph(
        beliefs=torch.from_numpy(np.concatenate(nodes)),
        levels=levels,
        parts={name: torch.cat([piece.parts[name] for piece in expanded]) for name in expanded[0].parts},
        children=_stacked([piece.children for piece in expanded]),
        chances=_stacked([piece.chances for piece in expanded]),
        known=known,
    )


class _Expansion(NamedTuple):
    """What expanding some nodes gave: their parts (m, a), where they lead, and the beliefs not met before."""

    parts: dict[str, Tensor]
    children: Tensor
    chances: Tensor
    fresh: np.ndarray


def _observed(f: ExpectedEnergy, model: FiniteModel) -> BeliefGraph:
    """The graph of a world whose states are seen: its nodes are the states, and lists of successors its edges."""
    children, chances = model.successors()
    survival, states = model.survival(), torch.eye(model.latent.count, dtype=f.belief.mean.dtype)
    parts = [parts_of(f, model, block) for block in states.split(ROWS)]
    return BeliefGraph(
        beliefs=states,
        levels=[len(states)],
        parts={name: torch.cat([part[name] for part in parts]) for name in parts[0]},
        children=children,
        chances=chances if survival is None else chances * survival[children],
        known={},
        sure=True,
    )


def parts_of(f: ExpectedEnergy, model: Branching, beliefs: Tensor) -> dict[str, Tensor]:
    """The parts of one step from beliefs (m, n), by name, (m, actions)."""
    folded = fold(f)
    if folded is not None and isinstance(model, FiniteModel):
        return {name: part.T for name, part in folded.parts(model, beliefs.T).items()}
    here = f.at(Categorical(beliefs, model.latent.sizes))
    _, parts = here.advance(here.root(), model.action.corners(beliefs.dtype).unsqueeze(1))
    return {name: part.expand(model.action.count, len(beliefs)).T for name, part in parts.items()}


def _expand(f: ExpectedEnergy, model: Branching, beliefs: Tensor, known: dict[bytes, int]) -> _Expansion:
    branches = model.branch(beliefs)
    after = branches.after.numpy()
    fresh = _fresh(after, known)
    place = branches.node * model.action.count + branches.action
    order = place.argsort(stable=True)
    counts = torch.bincount(place, minlength=len(beliefs) * model.action.count)
    rank = torch.arange(len(place)) - (counts.cumsum(0) - counts)[place[order]]
    shape = (len(beliefs) * model.action.count, int(counts.max()))
    children, chances = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape, dtype=beliefs.dtype)
    led = torch.tensor([known[key] for key in keys_of(after)], dtype=torch.int64)
    children[place[order], rank], chances[place[order], rank] = led[order], branches.chance[order]
    whole = (len(beliefs), model.action.count, -1)
    return _Expansion(parts_of(f, model, beliefs), children.view(whole), chances.view(whole), fresh)


def _blocks(f: ExpectedEnergy, model: Branching, frontier: np.ndarray) -> list[np.ndarray]:
    outcome = f.model.outcome
    outcomes = min(outcome.count, OUTCOMES) if isinstance(outcome, Simplex) else OUTCOMES
    width = model.action.count * outcomes * frontier.shape[-1]
    return np.array_split(frontier, max(1, -(-len(frontier) * width // BLOCK)))


def _stacked(pieces: list[Tensor]) -> Tensor:
    """Lists (m, a, k) of several lengths k as one (all, a, longest), padded with zeros."""
    width = max(piece.shape[-1] for piece in pieces)
    return torch.cat([torch.nn.functional.pad(piece, (0, width - piece.shape[-1])) for piece in pieces])


def _sure(beliefs: Tensor) -> bool:
    digits = DIGITS if beliefs.dtype == torch.float64 else SINGLE
    return bool((beliefs.amax(-1) > 1 - 10.0**-digits).all())


def keys_of(beliefs: np.ndarray) -> list[bytes]:
    digits = DIGITS if beliefs.dtype == np.float64 else SINGLE
    return [row.tobytes() for row in np.round(beliefs, digits) + 0.0]


def _fresh(beliefs: np.ndarray, known: dict[bytes, int]) -> np.ndarray:
    """The rows not met before, once each, in order; `known` is extended by them."""
    fresh = []
    for row, key in zip(beliefs, keys_of(beliefs), strict=True):
        if key not in known:
            known[key] = len(known)
            fresh.append(row)
    return np.array(fresh, dtype=beliefs.dtype).reshape(len(fresh), beliefs.shape[-1])
