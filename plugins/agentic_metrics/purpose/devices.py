"""Devices: maps from what was seen to what is done, without a goal, and the probability that they give a record.

A device learns its map as it goes; how much that costs is what an agent's goal has to save.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from agentic import UserError
from agentic_metrics.finite.arrays import Floats, Ints
from agentic_metrics.finite.behavior import Steps
from agentic_metrics.finite.world import World, checked_policy
from agentic_metrics.sampling.series import pairs


def krichevsky_trofimov(counts: ArrayLike) -> Floats:
    """ln probability (...) of a sequence with these counts (..., k) when nothing is known of k probabilities.

    A Dirichlet(1/2) mixture of all memoryless sources: ln G(k/2) - ln G(n + k/2) + sum ln G(c + 1/2) - k ln G(1/2)
    (Krichevsky and Trofimov 1981). The order of the symbols does not matter.
    """
    table = np.asarray(counts, np.float64)
    size = table.shape[-1]
    whole = gammaln(size / 2) - gammaln(table.sum(-1) + size / 2)
    return np.asarray(whole + (gammaln(table + 0.5) - gammaln(0.5)).sum(-1))


@final
@dataclass(frozen=True)
class ContextTree:
    """Devices that see up to `memory` symbols: the state now, the last action, the state before, and so on.

    A mixture of all trees of contexts: every node is used as it is or split by its next symbol, with probability 1/2
    each, and a node in use is a Krichevsky-Trofimov source of its own (context-tree weighting; Willems, Shtarkov and
    Tjalkens 1995). With `memory` 0 a single memoryless source; a table from states to actions has memory 1.
    """

    memory: int = 0

    def __post_init__(self) -> None:
        if self.memory < 0:
            raise UserError(f"a device sees a number of symbols >= 0, got memory = {self.memory}")

    def log_probability(self, steps: Steps, actions: int) -> float:
        """ln probability of all actions given the states, one device for all episodes."""
        nodes = [np.zeros(len(steps.actions), np.int64)]
        for depth in range(self.memory):
            nodes.append(pairs(nodes[-1], _symbol(steps, depth)))
        weighted = _source(nodes[-1], steps.actions, actions)
        for parent, child in zip(nodes[-2::-1], nodes[:0:-1], strict=True):
            above = np.zeros(len(weighted), np.int64)
            above[child] = parent
            own = _source(parent, steps.actions, actions)
            weighted = np.logaddexp(own, np.bincount(above, weighted, len(own))) - np.log(2)
        return float(weighted[0])


def wander(world: World, policy: ArrayLike, steps: Steps, *, times: int, generator: np.random.Generator) -> list[Steps]:
    """Samples of what `policy` (s, a) does instead: `times` as many episodes, from the same first states.

    Every episode lasts until it ends, or as long as the longest one of `steps`: those that ended say nothing of how
    long they might have lasted, and samples cut at their lengths would have fewer decisions to tell.
    """
    table = checked_policy(world, policy).cumsum(-1)
    successors, chances = _successors(world)
    here = np.tile(steps.starts, times)
    shape = (len(here), int(steps.lengths.max()))
    states, actions = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    valid = np.zeros(shape, bool)
    for t in range(shape[1]):
        valid[:, t] = ~world.ended[here]
        states[:, t], actions[:, t] = here, _drawn(table[here], generator)
        row = here * world.actions + actions[:, t]
        here = successors[row, _drawn(chances[row], generator)]
    episodes, step = np.indices(shape)
    parts = (part.reshape(times, -1) for part in (states, actions, step, episodes % len(steps.lengths), valid))
    return [Steps(s, a, t, e).where(kept) for s, a, t, e, kept in zip(*parts, strict=True)]


def _symbol(steps: Steps, depth: int) -> Ints:
    """The symbol (n,) that a device looks at when it has seen `depth` others; 0 before the episode."""
    values, lag = (steps.states, depth // 2) if depth % 2 == 0 else (steps.actions, depth // 2 + 1)
    return np.where(steps.times >= lag, np.roll(values, lag) + 1, 0)


def _source(node: Ints, symbols: Ints, size: int) -> Floats:
    """ln probability (nodes,) of the symbols seen at each node."""
    count = int(node.max(initial=0)) + 1
    return krichevsky_trofimov(np.bincount(node * size + symbols, minlength=count * size).reshape(count, size))


def _successors(world: World) -> tuple[Ints, Floats]:
    """The possible next states of each state and action, likeliest first, and their cumulative chances (s * a, k)."""
    flat = world.dynamics.reshape(-1, world.states)
    most = int((flat > 0).sum(-1).max())
    order = np.argsort(-flat, axis=-1, kind="stable")[:, :most]
    return order, np.take_along_axis(flat, order, -1).cumsum(-1)


def _drawn(cumulative: Floats, generator: np.random.Generator) -> Ints:
    """One column (n,) of each row (n, k), drawn by its cumulative chances."""
    draws = generator.random(len(cumulative))[:, None] * cumulative[:, -1:]
    return np.asarray((draws >= cumulative).sum(-1), np.int64)
