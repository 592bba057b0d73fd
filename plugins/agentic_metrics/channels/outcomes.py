"""The channel from sequences of actions to what is sensed after them, without listing the sequences.

Two sequences that have led to the same distribution over states stay together whatever follows, so that they are one
from then on. Where the order of actions matters little, a handful of distributions stands for thousands of sequences.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array, vstack

from agentic import UserError
from agentic_metrics.channels.moves import Moves
from agentic_metrics.finite.arrays import Floats, Ints

SAME = 1e-12  # distributions whose marks differ less are one
TOGETHER = 32  # states whose channels are built side by side
MOST = 2**16  # distinct distributions of one state beyond which memory runs out before patience does


def channels(moves: Moves, states: Ints, horizon: int) -> Iterator[Floats]:
    """The channel (distinct distributions, readings that occur) of each of `states` (n,), one after the other.

    Raises UserError where a state has so many distinct distributions that they cannot be held.
    """
    under = [moves.under(action) for action in range(moves.actions)]
    sensor = moves.sensor.matrix()
    last = [matrix @ sensor for matrix in under]
    for begin in range(0, len(states), TOGETHER):
        chosen = states[begin : begin + TOGETHER]
        laws, owner = standing(chosen, moves.states), np.arange(len(chosen))
        for step in range(horizon):
            laws, owner = _extended(laws, owner, last if step == horizon - 1 else under)
            if np.bincount(owner).max() > MOST:
                raise UserError(
                    f"sequences of {step + 1} of {horizon} steps already lead to more than {MOST} distinct "
                    "distributions: choose a shorter horizon"
                )
        yield from _cut(laws, owner, len(chosen))


def standing(states: Ints, size: int) -> csr_array:
    """The distributions (n, size) of being in one of `states` (n,) for sure."""
    count = len(states)
    return csr_array((np.ones(count), states, np.arange(count + 1)), shape=(count, size))


def _extended(laws: csr_array, owner: Ints, under: list[csr_array]) -> tuple[csr_array, Ints]:
    """The distinct distributions one action later, and the state each belongs to; those of one state stay together.

    Which are distinct is told by marks, two random projections of each, before any is computed.
    """
    marks = np.random.default_rng(0).random((under[0].shape[1], 2))  # a hash, not chance: always the same
    projected = laws @ np.concatenate([matrix @ marks for matrix in under], 1)
    chosen = _distinct(projected.reshape(-1, 2), np.repeat(owner, len(under)))
    row, action = np.divmod(chosen, len(under))
    parts = [laws[row[action == a]] @ under[a] for a in range(len(under))]
    order = np.argsort(np.concatenate([np.flatnonzero(action == a) for a in range(len(under))]))
    return vstack(parts, format="csr")[order], owner[row]


def _distinct(marks: Floats, owner: Ints) -> Ints:
    """One of each set of rows that share marks (n, 2) and owner (n,), in order."""
    order = np.lexsort((marks[:, 0], owner))
    jump = (np.abs(np.diff(marks[order], axis=0)) > SAME).any(1) | (np.diff(owner[order]) > 0)
    return np.sort(order[np.concatenate([[True], jump])])


def _cut(laws: csr_array, owner: Ints, count: int) -> Iterator[Floats]:
    """The rows of each of `count` owners as a table without empty columns."""
    ends = laws.indptr[np.searchsorted(owner, np.arange(count + 1))]
    length = np.diff(laws.indptr)
    for k in range(count):
        part = slice(ends[k], ends[k + 1])
        readings, column = np.unique(laws.indices[part], return_inverse=True)
        rows = length[owner == k]
        table = np.zeros((len(rows), len(readings)))
        table[np.repeat(np.arange(len(rows)), rows), column] = laws.data[part]
        yield table
