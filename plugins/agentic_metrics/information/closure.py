"""Autonomy and closure: how far a system makes its own next state, and how far it models its world.

What a system repeats may come from a world that repeats: autonomy is what is left once the world is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Access, Measurement, Metric, Subject, UserError
from agentic_metrics.estimate import Estimate, check_fields, effective, observed
from agentic_metrics.finite.laws import (
    Floats,
    checked_law,
    conditional_information,
    difference,
    mutual_information,
    stationary,
)
from agentic_metrics.sampling.alike import alike
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.embedding import check_aligned, past, steps, window
from agentic_metrics.sampling.information import Estimator, Information, Values
from agentic_metrics.sampling.samples import Samples
from agentic_metrics.sampling.series import Series, Variable, access_to, recorded
from agentic_metrics.sampling.surrogates import sampled
from agentic_metrics.sampling.theory import chi_square


@final
@dataclass(frozen=True)
class Autonomy(Metric):
    """Autonomy of a system, in bits: what its state tells of its next one beyond what its environment tells.

    I(S_t; S_{t-1} | E_{t-lag}, ..., E_{t-lag-history+1}) (Bertschinger, Olbrich, Ay and Jost 2008). `lag` is 1 where
    the environment acts on the system's next state, 0 where it comes first within a step, as observations come before
    actions. By default the system is what is done (`action`) and the environment what is seen just before (`obs`). 0
    for a rock, a coin and a reflex. Where the system controls its environment, what it keeps out there is not counted:
    measure its active information storage.
    """

    system: str = "action"
    environment: str = "obs"
    history: int = 1
    lag: int = 0
    estimator: str = "auto"
    surrogates: int = 499
    level: float = 0.95

    unit = "bits"
    needs = ("record",)

    def __post_init__(self) -> None:
        check_fields(self, history=1, lag=0, surrogates=0)
        named(self.estimator)

    @property
    def access(self) -> Access:
        return access_to(self.system, self.environment)

    def estimate(
        self,
        system: Variable,
        environment: Variable,
        *,
        estimator: Estimator | None = None,
        generator: np.random.Generator,
    ) -> Estimate:
        """The estimate from series, each an array (t,) or (t, d), or a list of them, one per episode.

        Whole numbers are names. An `estimator` given here takes the place of the one named by the field. In the null
        the system's past is that of another moment with the same environment (of one of about `ALIKE` similar moments,
        where it is measured), so that the two are independent given it; without surrogates it is the chi-square law of
        the plug-in and Gaussian estimators. Diagnostics hold the non-trivial informational closure. Raises UserError
        for series that are not of the same steps, or too short.
        """
        own, outer = self._samples(system, environment)
        chosen = estimator or named(self.estimator) or suited(own.source, outer.source)
        found, closed = own.information(chosen), outer.information(_Closure(chosen))
        if not self.surrogates:
            found, against = chi_square(found, own.episode)
        else:
            draws = _exchanged(own, chosen, generator)
            kind = "the system's past among moments of the same environment"
            against = sampled(found.value, lambda: next(draws), self.surrogates, kind)
        shown = {"bias": found.bias, "ntic": closed.value, **effective(found.value, against)}
        return Estimate.of(found, chosen.name, own.episode, null=against, diagnostics=shown, level=self.level)

    def ntic(
        self,
        system: Variable,
        environment: Variable,
        *,
        estimator: Estimator | None = None,
        generator: np.random.Generator,
    ) -> Estimate:
        """The non-trivial informational closure I(S_t; E) - I(S_t; E | S_{t-1}) in bits (Bertschinger et al. 2006).

        E are the environment's states as above. High where the system knows of its environment without being informed
        by it at that moment; negative where only both together tell the system's next state. The null is of
        environments taken from other episodes. Arguments and errors as for `estimate`.
        """
        own, outer = self._samples(system, environment)
        chosen = estimator or named(self.estimator) or suited(own.source, outer.source)
        found, against = outer.compared(_Closure(chosen), surrogates=self.surrogates, generator=generator)
        shown = {"bias": found.bias}
        return Estimate.of(found, chosen.name, outer.episode, null=against, diagnostics=shown, level=self.level)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        system, environment = (recorded(subject.record, name) for name in (self.system, self.environment))
        frame = observed(
            (self.system, self.environment),
            boundary=f"{self.system} is the system, {self.environment} all that it knows of its environment",
            horizon=max(1, self.lag + self.history - 1) + 1,
        )
        return self.estimate(system, environment, generator=generator).measurement("autonomy", self, frame)

    def _samples(self, system: Variable, environment: Variable) -> tuple[Samples, Samples]:
        """The samples of I(state before; state | environment), and of I(environment; state | state before)."""
        own, outer = Series.of(system), Series.of(environment)
        check_aligned(system=own, environment=outer)
        at, episode = steps(own.lengths, max(1, self.lag + self.history - 1))
        before, behind = at[:, None] - 1, past(at, first=self.lag, depth=self.history)
        values, world = own.joined(), window(outer.joined(), behind)
        after = values[at]
        return Samples(own, before, after, world, episode), Samples(outer, behind, after, values[at - 1], episode)


@final
@dataclass(frozen=True)
class Closure:
    """The exact information of a system and its environment on the system's next state, in bits.

    `autonomy` I(S'; S | E), `transfer` I(S'; E | S), `storage` I(S'; S), `ntic` I(S'; E) - I(S'; E | S).
    """

    autonomy: float
    transfer: float
    storage: float
    ntic: float


def informational_closure(kernel: ArrayLike, environment: ArrayLike) -> Closure:
    """The exact closure of a system that is driven by independent draws of its environment.

    `kernel` (states, environment, states) is the law of the next state given state and environment, `environment`
    (environment,) that of the environment. The system is in its stationary law; raises UserError where it has more than
    one.
    """
    moves = checked_law(kernel, "a kernel", dimensions=3)
    drawn = checked_law(environment, "the environment", dimensions=1)
    if moves.shape != (moves.shape[0], len(drawn), moves.shape[0]):
        raise UserError(
            f"a kernel is (states, environment, states), with {len(drawn)} environments as their law has it, "
            f"got shape {moves.shape}"
        )
    law = stationary(np.einsum("sen,e->sn", moves, drawn))
    return closure_of(np.einsum("s,e,sen->sen", law, drawn, moves))


def closure_of(joint: ArrayLike) -> Closure:
    """The exact closure of a joint law (state, environment, next state) that sums to 1."""
    table = np.asarray(joint, np.float64)
    checked_law(table.reshape(1, -1), "the joint law of state, environment and next state", dimensions=2)
    if table.ndim != 3:
        raise UserError(f"a joint law has axes (state, environment, next state), got {table.ndim} axes")
    by_world: Floats = table.transpose(0, 2, 1)
    by_state: Floats = table.transpose(1, 2, 0)
    transfer = conditional_information(by_state)
    return Closure(
        autonomy=conditional_information(by_world),
        transfer=transfer,
        storage=mutual_information(by_world.sum(2)),
        ntic=difference(mutual_information(by_state.sum(2)), transfer),
    )


@final
@dataclass(frozen=True)
class _Closure(Estimator):
    """I(X; Y) - I(X; Y | Z), both by the same estimator."""

    by: Estimator

    name = "closure"

    def information(self, x: Values, y: Values, given: Values | None = None) -> Information:
        known, driven = self.by.information(x, y), self.by.information(x, y, given)
        return Information(
            known.local - driven.local,
            known.bias - driven.bias,
            cautions=tuple(dict.fromkeys((*known.cautions, *driven.cautions))),
            noise=lambda: sum(each.noise() for each in (known, driven) if each.noise),
        )


def _exchanged(own: Samples, estimator: Estimator, generator: np.random.Generator) -> Iterator[float]:
    """The autonomy with the system's past of another moment with the same environment, ever anew."""
    before, world = own.source.joined()[own.places[:, 0]], np.asarray(own.given)
    group = alike(world)
    order, moved = np.argsort(group, kind="stable"), np.empty(len(group), np.int64)
    while True:
        moved[order] = np.lexsort((generator.random(len(order)), group))
        yield estimator.information(before[moved], own.target, world).value
