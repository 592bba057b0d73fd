"""Roles of columns: those of least energy, what else they could be, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from agentic_discovery.comparing import kinds, owners
from agentic_discovery.energies import ACTUATOR, SENSOR, Form, contact, energies, energy, free, particular, strict
from agentic_discovery.settling import Chains, Schedule, annealed

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

ENOUGH = 3.0  # nats of evidence below which no boundary is told
MORE = 5.0  # nats that another object has to save

USUAL = Schedule()
COMMUNITIES = Schedule(chains=16, sweeps=30)  # blocks that need no roles are found by fewer chains

BEST = 24  # choices from which roles are settled once more

MIRROR = np.array([3, 2, 1, 0])  # the world becomes inside, sensors become actuators


@final
@dataclass(frozen=True)
class Choice:
    """One way of giving each column a label, under a form, and its energy in nats."""

    labels: Ints
    form: Form
    energy: float

    @property
    def whole(self) -> bool:
        """Whether there is a world, and of each object every role that the form has."""
        return bool(np.isin(np.flatnonzero(self.form.used), self.labels).all())


@final
@dataclass(frozen=True)
class Settled:
    """The roles of one part of a recording: the choice of least energy, and the energies beside it.

    `alone` is the energy of one block, `blocks` that of the best free blocks, one among them. `choices` has every
    choice at which chains settled, least energy first.
    """

    choices: tuple[Choice, ...]
    alone: float
    blocks: float

    @property
    def best(self) -> Choice:
        """The choice of least energy."""
        return self.choices[0]

    @property
    def evidence(self) -> float:
        """What roles save over free blocks, in nats."""
        return self.blocks - self.best.energy


def parts(couplings: Floats) -> list[Ints]:
    """Columns that hang together by couplings above log p (p - 1), the largest part first."""
    p = len(couplings)
    if p == 0:
        return []
    strong = couplings > np.log(max(p * (p - 1), 1))
    count, labels = connected_components(strong, directed=True, connection="weak")
    found = [np.flatnonzero(labels == part) for part in range(count)]
    return sorted(found, key=lambda part: (-len(part), part[0]))


def forms_of(objects: int) -> list[Form]:
    """The forms that compete for so many objects."""
    return [particular(objects), strict(objects), contact(objects)]


def settled(
    couplings: Floats,
    objects: int = 1,
    *,
    generator: np.random.Generator,
    schedule: Schedule = USUAL,
    communities: bool = True,
    starts: Ints | None = None,
) -> Settled:
    """Settle the roles of one part that hangs together, for so many objects.

    Free blocks are looked for among `communities`, or are those of the roles alone. Labels in `starts` are settled
    beside those of the chains.
    """
    forms = forms_of(objects)
    size = len(forms[0].used)
    chains = annealed(couplings, forms, generator=generator, schedule=schedule)
    found = chains.reshape(-1, chains.shape[-1])
    found = found if starts is None else np.concatenate([found, starts])
    choices = _polished(couplings, forms, found, generator)
    alone = energy(couplings, np.zeros(len(couplings), np.intp), free(1, size))
    blocks = []
    if communities:
        some = [free(labels, size) for labels in range(2, 5)]
        together = annealed(couplings, some, generator=generator, schedule=COMMUNITIES)
        blocks += [energies(couplings, found, form).min() for form, found in zip(some, together, strict=True)]
    known = np.stack([choice.labels for choice in choices[:4]])
    blocks.append(energies(couplings, known, free(size, size)).min())  # let free of constraints
    return Settled(choices, alone, float(min(alone, *blocks)))


def settled_best(
    couplings: Floats, most: int, *, generator: np.random.Generator, schedule: Schedule = USUAL
) -> Settled:
    """Settle the roles of one part for one object, and for one more as long as that saves `MORE` nats."""
    best = settled(couplings, 1, generator=generator, schedule=schedule)
    for objects in range(2, most + 1):
        starts = _split(couplings, np.stack([choice.labels for choice in best.choices[:BEST]]), objects)
        more = settled(couplings, objects, generator=generator, schedule=schedule, communities=False, starts=starts)
        if best.best.energy - more.best.energy < MORE or not more.best.whole:
            break
        best = Settled(more.choices, best.alone, min(best.blocks, more.blocks))
    return best


def _split(couplings: Floats, labels: Ints, objects: int) -> Ints:
    """The same with the first object that falls apart without the world as two, the last of so many; (n, columns)."""
    split = labels.copy()
    for row in split:
        for one in range(1, objects):
            places = np.flatnonzero(owners(row) == one)
            inner = couplings[np.ix_(places, places)] > 0
            count, piece = connected_components(inner, directed=True, connection="weak") if len(places) else (0, places)
            if count > 1:
                largest = np.bincount(piece).argmax()
                row[places[piece != largest]] += 3 * (objects - one)
                break
    return split


def _polished(
    couplings: Floats, forms: Sequence[Form], found: Ints, generator: np.random.Generator, rounds: int = 2
) -> tuple[Choice, ...]:
    """All labels at which chains settled, and their mirror images, settled under every form; least energy first.

    What is best under one form is where the next round begins under all of them.
    """
    choices: list[Choice] = []
    for _ in range(rounds):
        if len(forms[0].used) == len(MIRROR):
            found = np.concatenate([found, MIRROR[found]])
        found = np.concatenate([found, _directed(couplings, found)])
        starts = [np.unique(_fitting(found, form), axis=0) for form in forms]
        each = [form for form, start in zip(forms, starts, strict=True) for _ in start]
        cold = Chains(couplings, each, np.concatenate(starts).T)
        for _ in range(3):
            cold.sweep(1e-3, generator)
        ends, choices = np.cumsum([len(start) for start in starts]), []
        for form, here in zip(forms, np.split(cold.labels.T, ends[:-1]), strict=True):
            rows = np.unique(here, axis=0)
            costs = energies(couplings, rows, form)
            choices += [Choice(row, form, float(cost)) for row, cost in zip(rows, costs, strict=True)]
        choices.sort(key=lambda choice: choice.energy)
        found = np.stack([choice.labels for choice in choices[:BEST]])
    return tuple(choices)


def _directed(couplings: Floats, labels: Ints) -> Ints:
    """The same, each boundary column a sensor where it hears more from beyond than it tells, else an actuator."""
    whose, role = owners(labels), kinds(labels)
    beyond = (whose[:, :, None] != whose[:, None, :]).astype(float)
    net = (beyond * (couplings - couplings.T)).sum(2)
    boundary = (role == SENSOR) | (role == ACTUATOR)
    return np.where(boundary, 3 * whose - 2 + (net > 0), labels)


def _fitting(labels: Ints, form: Form) -> Ints:
    """The same labels in a form: where it has no actuators, they are boundary as sensors are."""
    return np.where(form.used[labels], labels, labels - 1)


def mirrored(labels: Ints, form: Form) -> Ints:
    """The labels of one object seen from the other side, in a form."""
    return _fitting(MIRROR[labels], form)


def probabilities(couplings: Floats, choice: Choice, *, generator: np.random.Generator, chains: int = 32) -> Floats:
    """How often each column has each label at a temperature of one nat, beginning at a choice; (columns, labels)."""
    starts = np.repeat(choice.labels[:, None], chains, axis=1)
    warm = Chains(couplings, [choice.form] * chains, starts)
    total = np.zeros((len(couplings), len(choice.form.used)))
    for sweep in range(30):
        warm.sweep(1.0, generator)
        if sweep >= 10:
            total += (warm.labels[:, :, None] == np.arange(total.shape[1])).sum(1)
    return np.asarray(total / total.sum(1, keepdims=True))
