"""Roles of columns: those of least energy, what else they could be, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from agentic_discovery.energies import Form, contact, energies, energy, free, particular, strict
from agentic_discovery.settling import Chains, Schedule, annealed

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

TOLD = 5.0  # nats of evidence below which no boundary is told, and below which there is not another object

COMMUNITIES = Schedule(chains=16, sweeps=30)  # blocks that need no roles are found by fewer chains

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

    `alone` is the energy of one block, `blocks` that of the best free blocks, one among them. `choices` has every choice
    at which chains settled, least energy first.
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
    schedule: Schedule = Schedule(),
    communities: bool = True,
) -> Settled:
    """Settle the roles of one part that hangs together, for so many objects.

    Free blocks are looked for among `communities`, or are those of the roles alone.
    """
    forms = forms_of(objects)
    size = len(forms[0].used)
    chains = annealed(couplings, forms, generator=generator, schedule=schedule)
    choices = _polished(couplings, forms, chains.reshape(-1, chains.shape[-1]), generator)
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
    couplings: Floats, most: int, *, generator: np.random.Generator, schedule: Schedule = Schedule()
) -> Settled:
    """Settle the roles of one part for one object, and for one more as long as that saves `TOLD` nats, up to `most`."""
    best = settled(couplings, 1, generator=generator, schedule=schedule)
    fewer = Schedule(schedule.chains // 2, schedule.sweeps * 2 // 3, schedule.hot, schedule.cold)
    while best.best.form.objects < most and best.evidence >= TOLD:
        count = best.best.form.objects + 1
        more = settled(couplings, count, generator=generator, schedule=fewer, communities=False)
        if best.best.energy - more.best.energy < TOLD or not more.best.whole:
            break
        best = Settled(more.choices, best.alone, min(best.blocks, more.blocks))
    return best


def _polished(couplings: Floats, forms: Sequence[Form], found: Ints, generator: np.random.Generator) -> tuple[Choice, ...]:
    """All labels at which chains settled, and their mirror images, settled under every form; least energy first."""
    if len(forms[0].used) == len(MIRROR):
        found = np.concatenate([found, MIRROR[found]])
    found = np.unique(found, axis=0)
    starts = [found[form.used[found].all(1)] for form in forms]
    each = [form for form, start in zip(forms, starts, strict=True) for _ in start]
    cold = Chains(couplings, each, np.concatenate(starts).T)
    for _ in range(4):
        cold.sweep(1e-3, generator)
    choices: list[Choice] = []
    ends = np.cumsum([len(start) for start in starts])
    for form, settled_here in zip(forms, np.split(cold.labels.T, ends[:-1]), strict=True):
        rows = np.unique(settled_here, axis=0)
        choices += [Choice(row, form, float(cost)) for row, cost in zip(rows, energies(couplings, rows, form), strict=True)]
    return tuple(sorted(choices, key=lambda choice: choice.energy))


def probabilities(couplings: Floats, choice: Choice, *, generator: np.random.Generator, chains: int = 32) -> Floats:
    """How often each column has each label at a temperature of one nat, beginning at a choice; (columns, labels)."""
    starts = np.repeat(choice.labels[:, None], chains, axis=1)
    warm = Chains(couplings, [choice.form] * chains, starts)
    total = np.zeros((len(couplings), len(choice.form.used)))
    for sweep in range(30):
        warm.sweep(1.0, generator)
        if sweep >= 10:
            total += (warm.labels[:, :, None] == np.arange(total.shape[1])).sum(1)
    return total / total.sum(1, keepdims=True)
