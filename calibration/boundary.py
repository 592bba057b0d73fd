"""Boundaries that records say they have: a ring that leaks or does not, and roles that were given out by lot."""

from collections.abc import Callable

import numpy as np

from agentic import Measurement, Metric, Subject
from agentic_discovery.metrics import BoundaryEvidence, BoundaryLeak
from agentic_discovery.records import made_up, ring
from agentic_envs.planted import structureless
from calibration.case import SURROGATES, Source, alarms, covers

STEPS = (200, 1000)
SIDES = ("belief.external", "obs", "action", "belief.internal")
HALF_A_BIT = 0.5 * np.log(2)  # the inside hears a coin of the world as loud as its own noise


def around(metric: Metric, steps: int, back: float = 0.0, leak: float = 0.0) -> Callable[[Source], Measurement]:
    """A metric of the record of a ring of so many steps."""

    def measured(source: Source) -> Measurement:
        columns = ring(back, leak, steps=steps, seed=int(source.integers(2**31)))
        return metric.measure(Subject(record=made_up(columns)), generator=source)

    return measured


def by_lot(columns: int, density: float) -> Callable[[Source], Measurement]:
    """The evidence of roles that were given out by lot to the columns of a network without a boundary."""

    def measured(source: Source) -> Measurement:
        values = structureless(int(source.integers(2**31)), columns, density).values
        parts = np.array_split(source.permutation(columns), len(SIDES))
        record = made_up({name: values[:, part] for name, part in zip(SIDES, parts, strict=True)})
        return BoundaryEvidence(surrogates=SURROGATES).measure(Subject(record=record), generator=source)

    return measured


CASES = (
    *(covers(f"leak of a ring, {n} steps", around(BoundaryLeak(), n, leak=1.0), HALF_A_BIT) for n in STEPS),
    *(covers(f"no leak of a ring, {n} steps", around(BoundaryLeak(), n, back=0.5), 0.0) for n in STEPS),
    *(alarms(f"no leak of a ring, {n} steps, chi-square", around(BoundaryLeak(), n, back=0.5)) for n in STEPS),
    *(
        alarms(f"roles by lot, {n} columns, density {density}", by_lot(n, density), surrogates=SURROGATES, at_most=True)
        for n, density in ((8, 0.1), (12, 0.2))
    ),
)
