"""The worlds that discrete agents decide in, as the arrays both packages take."""

from typing import Any, NamedTuple

import numpy as np


class Arrays(NamedTuple):
    """A model: likelihoods, transitions (next, *factors, actions), preferences, starts, and what depends on what."""

    A: list[np.ndarray]
    B: list[np.ndarray]
    C: list[list[float]]
    D: list[np.ndarray]
    dependencies: dict[str, Any]


def tmaze(validity: float = 0.95) -> Arrays:
    """Center, two arms and a cue; a reward on one side. One modality says where and the cue, one the outcome."""
    place, outcome = np.zeros((5, 4, 2)), np.zeros((3, 4, 2))
    for side in range(2):
        place[[0, 1, 2], [0, 1, 2], side] = 1
        place[3 + side, 3, side], place[4 - side, 3, side] = validity, 1 - validity
        outcome[0, [0, 3], side] = 1
        outcome[1, 1 + side, side] = outcome[2, 2 - side, side] = 1
    moves = np.broadcast_to(np.eye(4)[:, None, :], (4, 4, 4)).copy()
    stays = np.broadcast_to(np.eye(2)[:, :, None], (2, 2, 4)).copy()
    start = [np.eye(4)[0], np.full(2, 0.5)]
    return Arrays([place, outcome], [moves, stays], [[0.0] * 5, [0.0, 2.0, -6.0]], start, _shared(2, 2))


def grid(side: int, success: float = 0.9, certainty: float = 0.9) -> Arrays:
    """A square to walk in: five moves that succeed with `success` and else stay, places seen with `certainty`."""
    states = side * side
    moves = np.zeros((states, states, 5))
    for row, column in np.ndindex(side, side):
        here = row * side + column
        for action, (down, right) in enumerate(((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))):
            there = np.clip(row + down, 0, side - 1) * side + np.clip(column + right, 0, side - 1)
            moves[there, here, action] += success
            moves[here, here, action] += 1 - success
    seen = certainty * np.eye(states) + (1 - certainty) / states
    wanted = [0.0] * states
    wanted[-1] = 2.0
    return Arrays([seen], [moves], [wanted], [np.full(states, 1 / states)], _shared(1, 1))


def cue_chain(rows: int = 5, columns: int = 7) -> Arrays:
    """A cue that says where the second cue is, which says where the reward is."""
    first, second = 2 * columns, [2, 1 * columns + 3, 3 * columns + 3, 4 * columns + 2]
    goals = [1 * columns + 5, 3 * columns + 5]
    places = rows * columns
    where, hinted = np.eye(places), np.zeros((5, places, 4))
    hinted[0] = 1
    found, outcome = np.zeros((3, places, 4, 2)), np.zeros((3, places, 2))
    found[0], outcome[0] = 1, 1
    for cue in range(4):
        hinted[:, first, cue] = np.eye(5)[1 + cue]
        for side in range(2):
            found[:, second[cue], cue, side] = np.eye(3)[1 + side]
    for side in range(2):
        for i, goal in enumerate(goals):
            outcome[:, goal, side] = np.eye(3)[1 if i == side else 2]
    moves = np.zeros((places, places, 5))
    for row, column in np.ndindex(rows, columns):
        for action, (down, right) in enumerate(((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))):
            there = np.clip(row + down, 0, rows - 1) * columns + np.clip(column + right, 0, columns - 1)
            moves[there, row * columns + column, action] = 1
    stays = [np.broadcast_to(np.eye(n)[:, :, None], (n, n, 5)).copy() for n in (4, 2)]
    start = [np.eye(places)[0], np.full(4, 0.25), np.full(2, 0.5)]
    wanted = [[0.0] * places, [0.0] * 5, [0.0] * 3, [0.0, 2.0, -4.0]]
    depends = {**_shared(4, 3), "A": [[0], [0, 1], [0, 1, 2], [0, 2]]}
    return Arrays([where, hinted, found, outcome], [moves, *stays], wanted, start, depends)


def _shared(modalities: int, factors: int) -> dict[str, Any]:
    """Every modality sees all factors, each factor its own past, and one control moves all."""
    whole = list(range(factors))
    return {"A": [whole] * modalities, "B": [[f] for f in whole], "B_actions": [[0]] * factors}
