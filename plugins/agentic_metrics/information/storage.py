"""How much of its past a variable still holds: what it repeats of itself, one step on or over longer stretches.

Measured from a record alone this includes what is stored in the world: an agent that reads its own marks stores
nothing itself. Wiping the agent's memory tells the two apart.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Access, Frame, Interval, Measurement, Metric, Subject, UserError
from agentic_metrics.estimate import Estimate
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.columns import access_to
from agentic_metrics.sampling.embedding import Places, past, steps, window
from agentic_metrics.sampling.gaussian import ENOUGH, GaussianEstimator
from agentic_metrics.sampling.information import Estimator, Information, Values, interval
from agentic_metrics.sampling.jackknife import Jackknife
from agentic_metrics.sampling.series import Series, recorded
from agentic_metrics.sampling.surrogates import chi_square, sampled

SURROGATES = 499
Variable = Series | ArrayLike | Sequence[ArrayLike]


def active_information_storage(
    series: Variable,
    *,
    history: int = 1,
    estimator: Estimator | None = None,
    surrogates: int = SURROGATES,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """I(Y_{t+1}; Y_{t-history+1}..Y_t) in bits: what the recent past of a variable tells of its next value.

    Lizier, Prokopenko and Zomaya (2012). `series` is one episode (t,) or (t, d), or a list of them. The null are
    `surrogates` of the same values in random order, which store nothing: a constant or a coin is inside it. With 0 of
    them it is the chi-square law, where the estimator has one. `estimator` None: the one that suits the values. Of
    several episodes, the Gaussian one loses the bias that strong memory has in short records (jackknife).

    Raises UserError for a history below 1 and where no episode is longer than it.
    """
    return predictive_information(
        series,
        past_steps=history,
        future_steps=1,
        estimator=estimator,
        surrogates=surrogates,
        level=level,
        generator=generator,
    )


def predictive_information(
    series: Variable,
    *,
    past_steps: int = 1,
    future_steps: int = 1,
    estimator: Estimator | None = None,
    surrogates: int = SURROGATES,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """I(last `past_steps` values; next `future_steps` values) in bits, a lower bound of the excess entropy.

    Bialek, Nemenman and Tishby (2001). Arguments, null and errors as for `active_information_storage`, which is the
    case of one future step.
    """
    if past_steps < 1 or future_steps < 1:
        raise UserError(f"past and future are at least one step long, got {past_steps} and {future_steps}")
    held = Series.of(series)
    chosen = suited(held) if estimator is None else estimator
    at, episode = steps(held.lengths, past_steps + future_steps - 1)
    earlier, later = past(at, first=future_steps, depth=past_steps), past(at, first=0, depth=future_steps)
    values = held.joined()

    def information(order: np.ndarray) -> Information:
        mixed = values[order]
        return chosen.information(window(mixed, earlier), window(mixed, later))

    found = information(np.arange(len(values)))
    bias, spread = _spread(chosen, found, window(values, earlier), window(values, later), episode, level)
    against = chi_square(found)
    if surrogates:
        kind = "the same values in random order"
        against = sampled(found.value, lambda: information(generator.permutation(len(values))).value, surrogates, kind)
    value = found.value - bias
    corrected = {"effective": value - against.mean} if against else {}
    return Estimate(
        value=value,
        estimator=chosen.name,
        interval=spread,
        null=against,
        episodes=len(np.unique(episode)),
        samples=len(at),
        diagnostics={"bias": found.bias + bias, **corrected, **found.diagnostics},
        cautions=found.cautions,
    )


def _spread(
    estimator: Estimator, found: Information, x: Values, y: Values, episode: Places, level: float
) -> tuple[float, Interval]:
    """The bias that is left, and the interval, of information between x and y (n, d) of each episode (n,).

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
    return 0.0, interval(found, episode, level=level)


@final
@dataclass(frozen=True)
class ActiveInformationStorage(Metric):
    """I(next value; last `history` values) of a recorded column, in bits: how much of itself it repeats.

    Includes what the world stores for the agent. 0 for a rock, a coin and a reflex to a world without memory.
    """

    column: str = "action"
    history: int = 1
    estimator: str = "auto"
    surrogates: int = SURROGATES
    level: float = 0.95

    unit = "bits"
    needs = ("record",)

    def __post_init__(self) -> None:
        _check("active_information_storage", self.level, self.surrogates, self.history)
        named(self.estimator)

    @property
    def access(self) -> Access:
        return access_to(self.column)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = active_information_storage(
            recorded(subject.record, self.column),
            history=self.history,
            estimator=named(self.estimator),
            surrogates=self.surrogates,
            level=self.level,
            generator=generator,
        )
        return found.measurement("active_information_storage", self, _frame(self.column, self.history + 1))


@final
@dataclass(frozen=True)
class PredictiveInformation(Metric):
    """I(last `past_steps` values; next `future_steps` values) of a recorded column, in bits.

    Includes what the world stores for the agent. 0 for a rock, a coin and a reflex to a world without memory.
    """

    column: str = "action"
    past_steps: int = 2
    future_steps: int = 2
    estimator: str = "auto"
    surrogates: int = SURROGATES
    level: float = 0.95

    unit = "bits"
    needs = ("record",)

    def __post_init__(self) -> None:
        _check("predictive_information", self.level, self.surrogates, self.past_steps, self.future_steps)
        named(self.estimator)

    @property
    def access(self) -> Access:
        return access_to(self.column)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = predictive_information(
            recorded(subject.record, self.column),
            past_steps=self.past_steps,
            future_steps=self.future_steps,
            estimator=named(self.estimator),
            surrogates=self.surrogates,
            level=self.level,
            generator=generator,
        )
        frame = _frame(self.column, self.past_steps + self.future_steps)
        return found.measurement("predictive_information", self, frame)


def _check(name: str, level: float, surrogates: int, *lengths: int) -> None:
    if not 0 < level < 1 or surrogates < 0 or min(lengths) < 1:
        raise UserError(
            f"{name} expects a level between 0 and 1, surrogates >= 0 and histories >= 1, got {level}, {surrogates} "
            f"and {', '.join(map(str, lengths))}"
        )


def _frame(column: str, span: int) -> Frame:
    return Frame(
        variables=(column,),
        boundary="what the agent carries and what the world keeps for it are not told apart",
        horizon=span,
        goal="none",
        start="all steps of the evaluation episodes with enough past",
        interventions=(),
    )
