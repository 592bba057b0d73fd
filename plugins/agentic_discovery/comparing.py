"""Comparisons of partitions: how well two agree, and which labels of one are which of the other."""

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.intp]

SIDES = np.array([0, 1, 1, 2])  # world, boundary, inside: the same seen from both sides


def owners(labels: Ints) -> Ints:
    """The object that each label belongs to, 0 for the world."""
    return np.asarray((labels + 2) // 3)


def kinds(labels: Ints) -> Ints:
    """What each label is: world (0), sensor (1), actuator (2) or inside (3)."""
    return np.where(labels == 0, 0, (labels - 1) % 3 + 1)


def sides(labels: Ints) -> Ints:
    """Labels where sensors and actuators of an object are one boundary."""
    return np.asarray(owners(labels) * 3 + SIDES[kinds(labels)])


def rand_index(one: ArrayLike, other: ArrayLike) -> float:
    """The adjusted Rand index of two partitions (Hubert and Arabie 1985): 1 for the same, 0 on average by chance."""
    _, a = np.unique(one, return_inverse=True)
    _, b = np.unique(other, return_inverse=True)
    table = np.zeros((a.max(initial=-1) + 1, b.max(initial=-1) + 1))
    np.add.at(table, (a, b), 1)

    def pairs(counts: NDArray[Any]) -> float:
        return float((counts * (counts - 1) / 2).sum())

    rows, columns, both = pairs(table.sum(1)), pairs(table.sum(0)), pairs(table)
    chance = rows * columns / max(len(a) * (len(a) - 1) / 2, 1)
    most = (rows + columns) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def aligned(labels: Ints, like: Ints, objects: int, *, mirrored: bool) -> Ints:
    """The same partition with objects numbered, and turned inside out where it is `mirrored`, as it fits best."""
    choices = []
    for order in permutations(range(1, objects + 1)):
        moved = np.array([0, *(3 * (new - 1) + role for new in order for role in (1, 2, 3))])
        choices.append(moved[labels])
    if mirrored and objects == 1:
        choices.append(3 - labels)
    return max(choices, key=lambda choice: int((choice == like).sum()))
