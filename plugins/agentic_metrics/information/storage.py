"""Stored information: how much of its past a variable repeats, one step on or over longer stretches.

Measured from a record alone this includes what is stored in the world: an agent that reads its own marks stores
nothing itself. Wiping the agent's memory tells the two apart.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from agentic import Access, Frame, Interval, Measurement, Metric, Subject, UserError
from agentic_metrics.estimate import Estimate, check_fields, effective, observed
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.embedding import Places, past, steps, window
from agentic_metrics.sampling.gaussian import ENOUGH, GaussianEstimator
from agentic_metrics.sampling.information import Estimator, Information, Values
from agentic_metrics.sampling.resampling import Jackknife
from agentic_metrics.sampling.series import Series, Variable, access_to, recorded
from agentic_metrics.sampling.surrogates import sampled
from agentic_metrics.sampling.theory import chi_square


@final
@dataclass(frozen=True)
class ActiveInformationStorage(Metric):
    """Active information storage, in bits: what the recent past of a recorded column tells of its next value.

    I(Y_{t+1}; Y_{t-history+1}..Y_t) (Lizier, Prokopenko and Zomaya 2012), the `PredictiveInformation` of one future
    step. What the world stores for the agent is included. 0 for a rock, a coin and a reflex to a world without memory.
    """

    column: str = "action"
    history: int = 1
    estimator: str = "auto"
    surrogates: int = 499
    level: float = 0.95

    unit = "bits"
    needs = ("record",)

    def __post_init__(self) -> None:
        check_fields(self, history=1, surrogates=0)
        named(self.estimator)

    @property
    def access(self) -> Access:
        return access_to(self.column)

    def estimate(
        self, series: Variable, *, estimator: Estimator | None = None, generator: np.random.Generator
    ) -> Estimate:
        """The estimate from a series; arguments, null and errors as for `PredictiveInformation.estimate`."""
        longer = PredictiveInformation(self.column, self.history, 1, self.estimator, self.surrogates, self.level)
        return longer.estimate(series, estimator=estimator, generator=generator)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = self.estimate(recorded(subject.record, self.column), generator=generator)
        return found.measurement("active_information_storage", self, _frame(self.column, self.history + 1))


@final
@dataclass(frozen=True)
class PredictiveInformation(Metric):
    """Predictive information, in bits: what the past of a recorded column tells of its future, some steps of each.

    I(last `past_steps` values; next `future_steps` values), a lower bound of the excess entropy (Bialek, Nemenman and
    Tishby 2001). What the world stores for the agent is included. 0 for a rock, a coin and a reflex to a world without
    memory.
    """

    column: str = "action"
    past_steps: int = 2
    future_steps: int = 2
    estimator: str = "auto"
    surrogates: int = 499
    level: float = 0.95

    unit = "bits"
    needs = ("record",)

    def __post_init__(self) -> None:
        check_fields(self, past_steps=1, future_steps=1, surrogates=0)
        named(self.estimator)

    @property
    def access(self) -> Access:
        return access_to(self.column)

    def estimate(
        self, series: Variable, *, estimator: Estimator | None = None, generator: np.random.Generator
    ) -> Estimate:
        """The estimate from one episode (t,) or (t, d), or a list of them; whole numbers are names.

        An `estimator` given here takes the place of the one named by the field. The null is of the same values in
        random order, which store nothing: a constant or a coin is inside it. Without surrogates it is the chi-square
        law, where the estimator has one and samples are enough for it. Of several episodes, the Gaussian estimator
        loses the bias that strong memory has in short records (jackknife). Raises UserError where no episode is long
        enough.
        """
        held = Series.of(series)
        chosen = estimator or named(self.estimator) or suited(held)
        at, episode = steps(held.lengths, self.past_steps + self.future_steps - 1)
        earlier = past(at, first=self.future_steps, depth=self.past_steps)
        later = past(at, first=0, depth=self.future_steps)
        values = held.joined()

        def information(order: Places) -> Information:
            mixed = values[order]
            return chosen.information(window(mixed, earlier), window(mixed, later))

        def drawn() -> float:
            return information(generator.permutation(len(values))).value

        found = information(np.arange(len(values)))
        if not self.surrogates:
            found, against = chi_square(found, episode)
        else:
            against = sampled(found.value, drawn, self.surrogates, "the same values in random order")
        bias, spread = _spread(chosen, found, window(values, earlier), window(values, later), episode, self.level)
        value = found.value - bias
        shown = {"bias": found.bias + bias, **effective(value, against)}
        estimate = Estimate.of(found, chosen.name, episode, null=against, diagnostics=shown, level=self.level)
        return replace(estimate, value=value, interval=spread or estimate.interval)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = self.estimate(recorded(subject.record, self.column), generator=generator)
        frame = _frame(self.column, self.past_steps + self.future_steps)
        return found.measurement("predictive_information", self, frame)


def _spread(
    estimator: Estimator, found: Information, x: Values, y: Values, episode: Places, level: float
) -> tuple[float, Interval | None]:
    """The bias that is left in information between x and y (n, d), and its interval, where a jackknife tells them.

    Strong memory makes a short record look as if it had less, and the more so the fewer samples there are: for the
    Gaussian estimator, the jackknife over episodes finds by how much (Quenouille 1956). The null is of values in random
    order, which have no memory, and compares estimates as they were before.
    """
    least = len(x) - int(np.bincount(episode).max())
    enough = len(np.unique(episode)) > 1 and least >= ENOUGH * (x.shape[1] + y.shape[1])
    if enough and isinstance(estimator, GaussianEstimator):
        with suppress(UserError):  # without its only noisy episode a record may be degenerate
            left_out = Jackknife.of(found.value, lambda kept: estimator.information(x[kept], y[kept]), episode)
            return left_out.bias, left_out.interval(found, found.value - left_out.bias, level=level)
    return 0.0, None


def _frame(column: str, span: int) -> Frame:
    boundary = "what the agent carries and what the world keeps for it are not told apart"
    return observed((column,), boundary=boundary, horizon=span)
