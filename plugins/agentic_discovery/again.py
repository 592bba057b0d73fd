"""The same recording looked at again, in two halves and in windows."""

import numpy as np
from numpy.typing import NDArray

from agentic_discovery.columns import Columns
from agentic_discovery.comparing import aligned, rand_index, sides
from agentic_discovery.energies import energy
from agentic_discovery.estimators import couplings
from agentic_discovery.particles import first_columns, of_things, things
from agentic_discovery.parting import Look, Part, Progress, settled_part
from agentic_discovery.roles import forms_of, parts, settled
from agentic_discovery.settling import Schedule

Ints = NDArray[np.intp]

HALF = Schedule(chains=16, sweeps=40)  # how roles of halves are settled


def halves(
    recording: Columns, how: Look, main: Part | None, generator: np.random.Generator, progress: Progress
) -> tuple[float | None, float]:
    """How well the partitions of both halves agree, and by how much the whole's roles are worse in one of them."""
    if main is None:
        return None, 0.0
    here = np.flatnonzero(np.isin(things(recording.names, how.axes), main.places))
    inner, look = recording.at(here), how.at(here)
    numbers = things(inner.names, how.axes)
    middle = len(inner.values) // 2
    best, found, excess = main.found.best, [], []
    for number, half in enumerate((inner.cut(0, middle), inner.cut(middle, len(inner.values)))):
        progress("halves", number, 2)
        if look.steps(half) < look.needed:
            return None, 0.0
        nats = of_things(couplings(half, look).nats, numbers)
        own = settled(nats, best.form.objects, generator=generator, schedule=HALF, communities=False)
        found.append(sides(own.best.labels))
        same = min(energy(nats, best.labels, form) for form in forms_of(best.form.objects))
        excess.append(same - own.best.energy)
    return rand_index(*found), max(excess)


def windows(
    recording: Columns, how: Look, labels: Ints, window: int, generator: np.random.Generator, progress: Progress
) -> list[tuple[int, int, Ints, float]]:
    """The labels of windows of so many steps, numbered and turned as they fit the window before, and their evidence."""
    found: list[tuple[int, int, Ints, float]] = []
    numbers = things(recording.names, how.axes)
    look = how.at(first_columns(numbers))
    like, count = labels, len(recording.values) // window
    for number in range(count):
        progress("windows", number, count)
        first, last = number * window, (number + 1) * window
        here = recording.cut(first, last)
        own = np.zeros(len(labels), np.intp)
        evidence = 0.0
        if how.steps(here) >= how.needed // 2:
            nats = of_things(couplings(here, how).nats, numbers)
            part = settled_part(nats, parts(nats)[0], look, generator, progress)
            if part is not None:
                own[part.places] = part.found.best.labels
                evidence = part.found.evidence
                own = aligned(own, like, part.found.best.form.objects, mirrored=True)
        found.append((first, last, own, evidence))
        like = own if own.any() else like
    return found
