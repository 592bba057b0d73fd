"""Boundaries as metrics: how much a record tells for the boundary that it says it has, and what crosses past it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from agentic import Access, Frame, Interval, Measurement, Metric, Null, Record, Subject, UserError
from agentic_discovery.columns import Columns, pruned, ranks
from agentic_discovery.couplings import Moments, gaussian_couplings
from agentic_discovery.energies import energies, free, particular, strict
from agentic_discovery.leaks import free_regressors, leak
from agentic_discovery.recording import read
from agentic_discovery.records import made_up, ring
from agentic_discovery.roles import COMMUNITIES
from agentic_discovery.settling import annealed

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

BLOCKS = 10  # that are left out in turn for an interval
ENOUGH = 3  # steps for each regressor, at least
SIDES = {
    "world": 0,
    "belief.external": 0,
    "obs": 1,
    "action": 2,
    "belief": 3,
}  # by their first words


@final
@dataclass(frozen=True)
class Sided:
    """The columns of a record, which side each is on (0 world, 1 sensors, 2 actuators, 3 inside), and their ranks."""

    columns: Columns
    sides: Ints
    ranks: Ints

    @classmethod
    def of(cls, record: Record, name: str) -> "Sided":
        """The columns of a record. Raises UserError where one side has none."""
        columns = read(record)
        found = [next((side for start, side in SIDES.items() if _begins(each, start)), -1) for each in columns.names]
        lacking = [word for side, word in enumerate(("world", "obs", "action", "belief")) if side not in found]
        if lacking:
            raise UserError(
                f"{name} needs columns of the world and of the inside beside obs and action; this record has no "
                f"{' and no '.join(lacking)}: record one with run.world=true and an agent that has beliefs, or save "
                "one with `agentic discover --save`"
            )
        order = pruned(columns.order, columns.names)
        return cls(columns, np.array(found, np.intp), ranks(columns.names, order))

    def moments(self, lag: int, resolution: float, without: slice | None = None) -> Moments:
        """The covariances of all steps, or of those outside a slice."""
        columns = self.columns
        if without is None:
            return Moments.of(columns.values, columns.episodes, lag=lag, resolution=resolution)
        first, last = columns.cut(0, without.start), columns.cut(without.stop, len(columns.values))
        values = np.concatenate([first.values, last.values])
        return Moments.of(values, (*first.episodes, *last.episodes), lag=lag, resolution=resolution)

    def interval(self, metric: Any, value: float, estimate: Callable[[Moments], float]) -> Interval:
        """The interval of an estimate, by leaving out one tenth of the steps after the other (Kunsch 1989)."""
        cuts = np.linspace(0, len(self.columns.values), BLOCKS + 1).astype(int)
        left = [
            estimate(self.moments(metric.lag, metric.resolution, slice(first, last))) for first, last in pairwise(cuts)
        ]
        error = float(np.sqrt((BLOCKS - 1) * np.var(left)))
        return Interval.student(value, error, BLOCKS - 1, level=metric.level, method="jackknife, 10 blocks")

    def measurement(
        self, name: str, metric: Any, found: tuple[float, Interval, Moments], null: Null, how: str
    ) -> Measurement:
        """The measurement, which says so where there are too few steps."""
        value, interval, moments = found
        needed = ENOUGH * len(moments.candidates(0, self.ranks))
        few = moments.steps < needed
        warnings = (f"{moments.steps} steps are too few for so many columns: record at least {needed}",) if few else ()
        frame = Frame(
            self.columns.names, "as the record says it", metric.lag, goal="none",
            start="all steps of the evaluation episodes with enough past", interventions=(),
        )  # fmt: skip
        return Measurement(
            metric=name, value=value, unit="nats", access=metric.access, frame=frame, estimator=how,
            parameters=asdict(metric), interval=interval, null=null, episodes=len(self.columns.episodes),
            samples=moments.steps, warnings=warnings, enough=not few,
        )  # fmt: skip


def _begins(name: str, start: str) -> bool:
    return name == start or name.startswith((f"{start}.", f"{start}["))


@final
@dataclass(frozen=True)
class BoundaryEvidence(Metric):
    """The evidence for the boundary that a record says it has, in nats: what roles save over free blocks.

    Of the world and `belief.external` as world, `obs` as sensors, `action` as actuators and other columns of the belief
    as inside: the least code length of the graph of couplings under free blocks, less that under these roles
    (`agentic_discovery.energies`). Positive where they are a better account than communities are. The null has the
    same columns with roles in random order. Effects reach back `lag` steps, and every value is read with an error of
    `resolution` of its column's spread.
    """

    lag: int = 1
    resolution: float = 0.01
    surrogates: int = 499
    level: float = 0.95

    access = Access.INTERNALS
    unit = "nats"
    needs = ("record",)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        sided = Sided.of(subject.record, "boundary_evidence")
        whole = sided.moments(self.lag, self.resolution)
        nats = gaussian_couplings(whole, sided.ranks).nats
        forms = [free(labels, 4) for labels in range(2, 5)]
        blocks = annealed(nats, forms, generator=generator, schedule=COMMUNITIES).reshape(-1, len(nats))

        def evidence(couplings: Floats, sides: Ints) -> Floats:
            communities = np.concatenate([blocks, np.zeros((1, len(couplings)), np.intp)])
            least = min(
                energies(couplings, communities[(communities < n).all(1)], free(n, 4)).min() for n in range(1, 5)
            )
            least = min(least, energies(couplings, sided.sides[None], free(4, 4))[0])
            roles = np.minimum(energies(couplings, sides, particular()), energies(couplings, sides, strict()))
            return np.asarray(least - roles)

        def estimate(moments: Moments) -> float:
            return float(evidence(gaussian_couplings(moments, sided.ranks).nats, sided.sides[None])[0])

        value = float(evidence(nats, sided.sides[None])[0])
        found = value, sided.interval(self, value, estimate), whole
        shuffled = np.stack([generator.permutation(sided.sides) for _ in range(self.surrogates)])
        null = _reached(found[0], evidence(nats, shuffled), "roles in random order")
        return sided.measurement("boundary_evidence", self, found, null, "sparse linear regression, code length")

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """The same from code lengths: four columns in a ring, each heard by the next, and all 256 ways of blocks."""
        round_about = np.roll(np.eye(4), 1, axis=1)
        roles = energies(round_about, np.array([[0, 1, 3, 2]]), strict())[0]
        every = np.array(list(product(range(4), repeat=4)))
        blocks = min(energies(round_about, every[(every < n).all(1)], free(n, 4)).min() for n in range(1, 5))
        yield cls(surrogates=99), Subject(record=made_up(ring(back=0.5))), float(blocks - roles), 1e-9


@final
@dataclass(frozen=True)
class BoundaryLeak(Metric):
    """The leak of the boundary that a record says it has: what crosses it past sensors and actuators, nats per step.

    Sides as in `boundary_evidence`. A sum of conditional transfer entropies by linear regression: what the world adds
    to the prediction of actuators and inside from all that is not world, and what the inside adds to that of sensors
    and world from all that is not inside, less what chance gives. Zero where it is a boundary. The null is the
    chi-square law of no leak (Wilks 1938). Effects reach back `lag` steps, and every value is read with an error of
    `resolution` of its column's spread.
    """

    lag: int = 1
    resolution: float = 0.01
    level: float = 0.95

    access = Access.INTERNALS
    unit = "nats"
    needs = ("record",)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        sided = Sided.of(subject.record, "boundary_leak")
        moments = sided.moments(self.lag, self.resolution)
        value = leak(moments, sided.ranks, sided.sides)
        interval = sided.interval(self, value, lambda some: leak(some, sided.ranks, sided.sides))
        freedom = free_regressors(moments, sided.ranks, sided.sides)
        twice = 2 * moments.steps
        p_value = float(chi2.sf(twice * value + freedom, freedom))
        null = Null(f"chi-square, {freedom} degrees of freedom", 0.0, float(np.sqrt(2 * freedom)) / twice, 1, p_value)
        return sided.measurement("boundary_leak", self, (value, interval, moments), null, "linear regression")

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """Nothing in a ring; half of log 2 where the inside hears a coin of the world as well, as loud as its noise."""
        yield cls(), Subject(record=made_up(ring(back=0.5))), 0.0, 0.02
        yield cls(), Subject(record=made_up(ring(leak=1.0))), 0.5 * np.log(2), 0.05


def _reached(value: float, draws: Floats, kind: str) -> Null:
    spread = float(draws.std(ddof=1)) if len(draws) > 1 else 0.0
    reached = int((draws >= value - 1e-9).sum())
    return Null(kind, float(draws.mean()), spread, len(draws), (1 + reached) / (1 + len(draws)))
