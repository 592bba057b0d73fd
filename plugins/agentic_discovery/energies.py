"""The energy of roles: how many nats it takes to write down who is coupled with whom, given what each column is.

For a graph of couplings and a label for each column,

    E = sum over allowed pairs of labels of log (N + 1)! / (k! (N - k)!)
      + sum over forbidden couplings of their evidence
      + log p! / prod n! + log C(p + R - 1, R - 1)
      + IDLE for each thing that a sensor or actuator is for and does not do,

where k of the N couplings that a pair of labels could have are there: the code of a share that is not known, once for
each pair (Rissanen 1983). The third line writes down the labels themselves, R of them on p columns. A sensor is for
hearing the world and reaching the inside, an actuator for hearing the inside and reaching the world, and a boundary
without a direction for being coupled with both: what does not belongs to one of the sides, so that the boundary is no
thicker than it must be.
"""

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from agentic_discovery.comparing import kinds, owners

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

IDLE = 4.0  # nats; see the module

WORLD, SENSOR, ACTUATOR, INSIDE = range(4)

ROLES = ("world", "sensor", "actuator", "inside")

# From row to column: the world reaches neither actuators nor inside, the inside neither sensors nor world.
PARTICULAR = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1]], bool)


@final
@dataclass(frozen=True)
class Form:
    """Which labels there are, and which may reach which.

    `allowed[r, s]` says whether a column with label r may act on one with label s. Label 0 is the world; object k has
    the labels 3k+1 (sensors), 3k+2 (actuators) and 3k+3 (inside). `used` says which labels columns may have. A column
    with label r is for hearing one of those that `hears[r]` has, for reaching one that `reaches[r]` has, and for being
    coupled, either way, with one that `meets[r]` and one that `holds[r]` has.
    """

    name: str
    allowed: NDArray[np.bool_]
    used: NDArray[np.bool_]
    hears: NDArray[np.bool_]
    reaches: NDArray[np.bool_]
    meets: NDArray[np.bool_]
    holds: NDArray[np.bool_]

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
    owner, role = _labels(objects)
    allowed = np.ones((len(owner), len(owner)), bool)
    hears, reaches = np.zeros_like(allowed), np.zeros_like(allowed)
    for one in range(1, objects + 1):  # for each object, all of the others are world
        seen = np.where(owner == one, role, WORLD)
        allowed &= PARTICULAR[np.ix_(seen, seen)]
        inside, beyond = seen == INSIDE, owner != one
        sensor, actuator = 3 * one - 2, 3 * one - 1
        hears[sensor], reaches[sensor], hears[actuator], reaches[actuator] = beyond, inside, inside, beyond
    nothing = np.zeros_like(allowed)
    return Form("particular", allowed, np.ones(len(owner), bool), hears, reaches, nothing, nothing)


def strict(objects: int = 1) -> Form:
    """The same, where sensors only read: nothing in the world hears them."""
    form = particular(objects)
    owner, role = _labels(objects)
    deaf = (role == SENSOR)[:, None] & (owner[:, None] != owner)
    return replace(form, name="strict", allowed=form.allowed & ~deaf)


def contact(objects: int = 1) -> Form:
    """One boundary without a direction, as a membrane has: inside and world do not reach each other."""
    owner, role = _labels(objects)
    inner = role == INSIDE
    allowed = ~((owner[:, None] != owner) & (inner[:, None] | inner))
    nothing, skin = np.zeros_like(allowed), (role == SENSOR)[:, None]
    beyond = owner[:, None] != owner
    return Form("contact", allowed, role != ACTUATOR, nothing, nothing, skin & beyond, skin & ~beyond & inner)


def free(labels: int, size: int) -> Form:
    """Blocks that may all be coupled: communities, which are no boundary."""
    nothing = np.zeros((size, size), bool)
    return Form(f"{labels} blocks", ~nothing, np.arange(size) < labels, nothing, nothing, nothing, nothing)


def _labels(objects: int) -> tuple[Ints, Ints]:
    """The owner and the role of each label."""
    labels = np.arange(1 + 3 * objects)
    return owners(labels), kinds(labels)


def log_factorials(columns: int) -> Floats:
    """log 0!, log 1!, ... as far as pairs of so many columns need them."""
    return np.asarray(gammaln(np.arange(columns * columns + 3) + 1.0))


def energies(couplings: Floats, labels: Ints, form: Form) -> Floats:
    """The energy in nats of each row of labels (n, columns); see the module. Infinite for labels that are not used."""
    columns, size = labels.shape[1], len(form.used)
    logs = log_factorials(columns)
    one = (labels[:, :, None] == np.arange(size)).astype(float)
    counts = one.sum(1).astype(np.intp)
    graph = (couplings > 0).astype(float)
    there = _between(one, graph).round().astype(np.intp)
    pairs = counts[:, :, None] * (counts[:, None, :] - np.eye(size, dtype=np.intp))
    codes = np.where(form.allowed, logs[pairs + 1] - logs[there] - logs[pairs - there], _between(one, couplings))
    names = logs[columns + form.labels - 1] - logs[form.labels - 1] - logs[counts].sum(1)
    ways = (graph.T, form.hears), (graph, form.reaches), (graph + graph.T, form.meets), (graph + graph.T, form.holds)
    idle = sum(_idle(one, way, wanted) for way, wanted in ways)
    return np.asarray(np.where(form.used[labels].all(1), codes.sum((1, 2)) + names + IDLE * idle, np.inf))


def energy(couplings: Floats, labels: Ints, form: Form) -> float:
    """The energy in nats of one label for each column; see the module."""
    return float(energies(couplings, labels[None], form)[0])


def _between(one: Floats, weights: Floats) -> Floats:
    """Sums of weights from the columns of each label to those of each; (n, labels, labels)."""
    return np.asarray(one.transpose(0, 2, 1) @ (weights @ one))


def _idle(one: Floats, graph: Floats, wanted: NDArray[np.bool_]) -> Floats:
    """How many columns have none of the neighbors that their labels want; (n,)."""
    found = (graph @ one) @ wanted.T.astype(float)
    return np.asarray((one * (found == 0) * wanted.any(1)).sum((1, 2)))
