"""The energy of roles: how many nats it takes to write down who is coupled with whom, given what each column is.

For a graph of couplings and a label for each column,

    E = sum over allowed pairs of labels of log (N + 1)! / (k! (N - k)!)
      + sum over forbidden couplings of their evidence
      + log p! / prod n! + log C(p + R - 1, R - 1),

where k of the N couplings that a pair of labels could have are there: the code of a share that is not known, once for
each pair (Rissanen 1983). The last two terms write down the labels themselves, R of them on p columns.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

WORLD, SENSOR, ACTUATOR, INSIDE = range(4)

ROLES = ("world", "sensor", "actuator", "inside")

# From row to column: the world reaches neither actuators nor inside, the inside neither sensors nor world.
PARTICULAR = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1]], bool)


@final
@dataclass(frozen=True)
class Form:
    """Which labels there are, and which may reach which.

    `allowed[r, s]` says whether a column with label r may act on one with label s. Label 0 is the world; object k has
    the labels 3k+1 (sensors), 3k+2 (actuators) and 3k+3 (inside). `used` says which labels columns may have.
    """

    name: str
    allowed: NDArray[np.bool_]
    used: NDArray[np.bool_]

    @property
    def labels(self) -> int:
        """How many labels may be used."""
        return int(self.used.sum())

    @property
    def objects(self) -> int:
        """How many objects there may be besides the world."""
        return (len(self.used) - 1) // 3


def particular(objects: int = 1) -> Form:
    """Sensors and actuators between each inside and its world, as in a particular partition (Friston 2019)."""
    labels = np.arange(1 + 3 * objects)
    owner, role = (labels + 2) // 3, np.where(labels == 0, WORLD, (labels - 1) % 3 + 1)
    allowed = np.ones((len(labels), len(labels)), bool)
    for one in range(1, objects + 1):  # for each object, all of the others are world
        seen = np.where(owner == one, role, WORLD)
        allowed &= PARTICULAR[np.ix_(seen, seen)]
    return Form("particular", allowed, np.ones(len(labels), bool))


def strict(objects: int = 1) -> Form:
    """The same, where sensors only read: nothing in the world hears them."""
    form = particular(objects)
    allowed = form.allowed.copy()
    for one in range(objects):
        sensor = 3 * one + SENSOR
        own = np.arange(len(allowed))
        allowed[sensor, (own == 0) | ((own + 2) // 3 != one + 1)] = False
    return Form("strict", allowed, form.used)


def contact(objects: int = 1) -> Form:
    """One boundary without a direction, as a membrane has: inside and world do not reach each other."""
    labels = np.arange(1 + 3 * objects)
    owner, role = (labels + 2) // 3, np.where(labels == 0, WORLD, (labels - 1) % 3 + 1)
    inner = role == INSIDE
    other = owner[:, None] != owner[None, :]
    allowed = ~(other & (inner[:, None] | inner[None, :]))
    return Form("contact", allowed, role != ACTUATOR)


def free(labels: int, size: int) -> Form:
    """Blocks that may all be coupled: communities, which are no boundary."""
    return Form(f"{labels} blocks", np.ones((size, size), bool), np.arange(size) < labels)


def log_factorials(columns: int) -> Floats:
    """log 0!, log 1!, ... as far as pairs of so many columns need them."""
    return np.asarray(gammaln(np.arange(columns * columns + 3) + 1.0))


def energies(couplings: Floats, labels: Ints, form: Form) -> Floats:
    """The energy in nats of each row of labels (n, columns); see the module. Infinite for labels that are not used."""
    columns, size = labels.shape[1], len(form.used)
    logs = log_factorials(columns)
    one = (labels[:, :, None] == np.arange(size)).astype(float)
    counts = one.sum(1).astype(np.intp)
    there = _between(one, (couplings > 0).astype(float)).round().astype(np.intp)
    pairs = counts[:, :, None] * (counts[:, None, :] - np.eye(size, dtype=np.intp))
    codes = np.where(form.allowed, logs[pairs + 1] - logs[there] - logs[pairs - there], _between(one, couplings))
    names = logs[columns + form.labels - 1] - logs[form.labels - 1] - logs[counts].sum(1)
    return np.asarray(np.where(form.used[labels].all(1), codes.sum((1, 2)) + names, np.inf))


def energy(couplings: Floats, labels: Ints, form: Form) -> float:
    """The energy in nats of one label for each column; see the module."""
    return float(energies(couplings, labels[None], form)[0])


def _between(one: Floats, weights: Floats) -> Floats:
    """Sums of weights from the columns of each label to those of each; (n, labels, labels)."""
    return np.asarray(one.transpose(0, 2, 1) @ (weights @ one))
