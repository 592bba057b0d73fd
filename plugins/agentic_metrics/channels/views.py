"""Views of what lies within some steps of a state, written so that places which look alike read alike.

The channel from actions to readings depends on nothing else: in a world that repeats itself, most states share theirs.
"""

from typing import final

import numpy as np

from agentic_metrics.channels.moves import Branches, Moves
from agentic_metrics.finite.arrays import Ints

TOGETHER = 128  # states looked at side by side
NOTHING = -1  # pads lists of states and of outcomes
UNWRITTEN = -2  # what is written of a state that only pads a list


def alike(moves: Moves, states: Ints, horizon: int) -> Ints:
    """The place in `states` (n,) of the first whose view is the same, for each of them, (n,).

    A view numbers states in the order in which actions, tried in turn, first lead there within `horizon` steps, and
    readings in the order in which those states first give them. Equal views mean channels equal up to the names of
    the readings; states whose views differ may still have equal channels.
    """
    seen: dict[bytes, int] = {}
    first = []
    for begin in range(0, len(states), TOGETHER):
        views = _views(moves, states[begin : begin + TOGETHER], horizon)
        first += [seen.setdefault(view, begin + i) for i, view in enumerate(views)]
    return np.array(first, np.int64)


def _views(moves: Moves, states: Ints, horizon: int) -> list[bytes]:
    """The view from each of `states` (c,)."""
    places = _Names(len(states), moves.states)
    _, ring = places.call(states[:, None])
    visited, written = [ring], []
    actions = np.arange(moves.actions)
    for _ in range(horizon):
        pairs = np.where(ring[..., None] < 0, NOTHING, ring[..., None] * moves.actions + actions)
        ring, table = _follow(places, moves.steps, pairs.reshape(len(states), -1))
        visited.append(ring)
        written.append(table)
    written.append(_follow(_Names(len(states), moves.sensor.size), moves.sensor, np.concatenate(visited, 1))[1])
    return [row[row != UNWRITTEN].tobytes() for row in np.concatenate(written, 1)]


def _follow(names: "_Names", branches: Branches, rows: Ints) -> tuple[Ints, Ints]:
    """The outcomes of `rows` (c, m) that are met for the first time, (c, w), and what is written of all, (c, ...)."""
    real = (rows >= 0)[..., None]
    kinds = np.where(real, branches.kinds[rows], UNWRITTEN)
    outcomes = np.where(kinds > 0, branches.outcomes[rows], NOTHING)
    called, new = names.call(outcomes.reshape(len(rows), -1))
    called = np.where(real, called.reshape(kinds.shape), UNWRITTEN)
    return new, np.stack([called, kinds], -1).reshape(len(rows), -1)


@final
class _Names:
    """Numbers given to things in the order in which they are met, anew in each row."""

    def __init__(self, rows: int, things: int) -> None:
        self.number = np.full((rows, things + 1), NOTHING)  # the last column is where padding goes
        self.place = np.zeros((rows, things + 1), np.int64)
        self.count = np.zeros(rows, np.int64)

    def call(self, things: Ints) -> tuple[Ints, Ints]:
        """The number of each thing (c, k), and the new ones, (c, w)."""
        rows, turn = np.arange(len(things))[:, None], np.arange(things.shape[1])
        self.place[rows, things[:, ::-1]] = turn[::-1]  # the last to be written is the first that was met
        fresh = (self.place[rows, things] == turn) & (self.number[rows, things] < 0) & (things >= 0)
        order = np.cumsum(fresh, 1) - 1
        row, column = np.nonzero(fresh)
        self.number[row, things[row, column]] = self.count[row] + order[row, column]
        self.count += fresh.sum(1)
        new = np.full((len(things), int(fresh.sum(1).max(initial=0))), NOTHING)
        new[row, order[row, column]] = things[row, column]
        return self.number[rows, things], new
