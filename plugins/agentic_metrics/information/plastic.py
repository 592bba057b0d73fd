"""Directed information and plasticity of recorded episodes, estimated from how often which history occurred.

An ensemble of episodes is needed: one run of a deterministic pair fixes its own future, and nothing flows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Access, Frame, Interval, Measurement, Metric, Subject, UserError
from agentic_metrics.cautions import Caution, too_few
from agentic_metrics.estimate import Estimate
from agentic_metrics.sampling.embedding import check_aligned
from agentic_metrics.sampling.information import Information, interval
from agentic_metrics.sampling.jackknife import Jackknife
from agentic_metrics.sampling.plugin import ENOUGH, Plugin
from agentic_metrics.sampling.series import Series, codes, recorded
from agentic_metrics.sampling.surrogates import EPISODES, null

Names = NDArray[np.int64]
Episodes = Series | ArrayLike | Sequence[ArrayLike]


def directed_information(
    actions: Episodes,
    observations: Episodes,
    *,
    order: int | None = 1,
    stationary: bool = True,
    surrogates: int = 499,
    generator: np.random.Generator,
) -> Estimate:
    """What flows from actions to observations, in bits per step: mean over t of I(A_t-m:t; O_t | O_t-m:t-1).

    One array of names per episode each; observation t is what followed action t. `order` m is the memory that is
    looked at, None all of it (whole sequences, for tiny alphabets and short episodes only). A truncated past of O
    overstates what flows where O remembers longer than m. `stationary` pools all steps; otherwise every t has its own
    law, which needs as many more episodes. Plug-in estimate with its bias removed, jackknife over episodes, null from
    exchanging the actions of whole episodes. Massey (1990); Jiao et al. (2013). Raises UserError for what are no names.
    """
    sample = _Sample.of(
        source=("actions", actions), target=("observations", observations), order=order, stationary=stationary
    )
    return _estimate(sample, surrogates, generator)


def plasticity(
    actions: Episodes,
    observations: Episodes,
    *,
    order: int | None = 1,
    stationary: bool = True,
    surrogates: int = 499,
    generator: np.random.Generator,
) -> Estimate:
    """What flows from observations to actions, in bits per step: mean over t of I(O_t-m:t-1; A_t | A_t-m:t-1).

    As `directed_information` with the roles exchanged (Abel et al. 2025): the action comes first in its step, so only
    earlier observations can have shaped it. A random agent and a rock have none; a reflex may have all there is.
    """
    sample = _Sample.of(
        source=("observations", observations), target=("actions", actions), order=order, stationary=stationary
    )
    return _estimate(sample, surrogates, generator)


@final
@dataclass(frozen=True)
class _Sample:
    """Every step of every episode: names (n,) of source and target from 1, and which lags are looked at.

    `ahead` is the smallest lag of the source: 0 where it comes before the target within a step, else 1.
    """

    source: Names
    target: Names
    lengths: tuple[int, ...]
    ahead: int
    lags: int
    stationary: bool

    @classmethod
    def of(
        cls, *, source: tuple[str, Episodes], target: tuple[str, Episodes], order: int | None, stationary: bool
    ) -> "_Sample":
        """From named episodes; actions come before observations in every step."""
        pair = {name: Series.of(values) for name, values in (source, target)}
        check_aligned(**pair)
        lengths = pair[source[0]].lengths
        if not all(series.discrete for series in pair.values()) or not sum(lengths):
            raise UserError(
                "directed information counts names (whole numbers) over at least one step, got measured values or "
                "nothing: bin them first, or use transfer_entropy with an estimator for numbers"
            )
        ahead = int(target[0] == "actions")
        if order is not None and order < ahead:
            raise UserError(f"the order is the number of past steps looked at, at least {ahead}, got {order}")
        longest = max(lengths) - 1
        lags = longest if order is None else min(order, longest)
        names = [codes(pair[name].joined()) + 1 for name in (source[0], target[0])]
        return cls(names[0], names[1], lengths, ahead, lags, stationary)

    @cached_property
    def times(self) -> Names:
        return np.concatenate([np.arange(length) for length in self.lengths])

    @cached_property
    def groups(self) -> Names:
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def given(self) -> Names:
        """The past of the target as one code (n, 1), where every step has its own law together with the time."""
        past = self._past(self.target, 1)
        return codes(past if self.stationary else np.column_stack([past, self.times]))[:, None]

    @cached_property
    def histories(self) -> int:
        """How many pasts of both were seen; where hardly any was seen twice, information seems to be zero."""
        return int(codes(np.column_stack([self._past(self.source, self.ahead), self.given])).max()) + 1

    def information(self, places: Names) -> Information:
        """I(past and present of the source; target | its past), each step's source taken from `places` (n,).

        "Before the episode" is a name of its own; steps whose place is -1 are left out.
        """
        return self._information(self._past(self.source[places], self.ahead), places >= 0)

    def interval(self, found: Information, level: float = 0.95) -> Interval:
        """The spread over episodes left out: long pasts are hardly seen twice, and fitted too well."""
        if len(self.lengths) < 2:
            return interval(found, self.groups, level=level)
        x = self._past(self.source, self.ahead)
        left_out = Jackknife.of(found.value, lambda kept: self._information(x, kept), self.groups)
        return left_out.interval(found, found.value, level=level)

    def _information(self, x: Names, kept: NDArray[np.bool_]) -> Information:
        return Plugin().information(x[kept], self.target[kept, None], self.given[kept])

    def _past(self, names: Names, first: int) -> Names:
        """Names at the lags from `first`, side by side (n, lags), 0 before the episode."""
        lagged = [np.where(self.times >= lag, np.roll(names, lag), 0) for lag in range(first, self.lags + 1)]
        return np.column_stack(lagged) if lagged else np.zeros((len(names), 0), np.int64)


def _estimate(sample: _Sample, surrogates: int, generator: np.random.Generator) -> Estimate:
    everywhere = np.arange(len(sample.target))
    found = sample.information(everywhere)
    count = len(sample.lengths)
    source = Series(tuple(np.split(sample.source[:, None], np.cumsum(sample.lengths)[:-1])), discrete=True)
    return Estimate(
        value=found.value,
        estimator="plugin",
        interval=sample.interval(found),
        null=null(found, source, sample.information, surrogates=surrogates, generator=generator),
        episodes=count,
        samples=len(sample.target),
        diagnostics={
            "bits_per_episode": found.value * len(sample.target) / count,
            "bias": found.bias,
            "freedom": found.freedom,
        },
        cautions=(*found.cautions, *_cautions(sample)),
    )


def _cautions(sample: _Sample) -> list[Caution]:
    found, count = [], len(sample.lengths)
    if count < EPISODES:
        found.append(too_few(f"{count} episodes are hardly an ensemble: record at least {EPISODES}"))
    if len(sample.target) < ENOUGH * sample.histories:
        few = (
            f"{len(sample.target)} steps are too few for {sample.histories} different histories: record at least "
            f"{ENOUGH * sample.histories}, or lower the order"
        )
        found.append(too_few(few))
    return found


def _measured(
    metric: "DirectedInformation | Plasticity",
    subject: Subject,
    estimate: Callable[..., Estimate],
    *,
    actions: str,
    observations: str,
    generator: np.random.Generator,
) -> Measurement:
    found = estimate(
        recorded(subject.record, actions),
        recorded(subject.record, observations),
        order=metric.order,
        stationary=metric.stationary,
        surrogates=metric.surrogates,
        generator=generator,
    )
    memory = "the whole past" if metric.order is None else f"the last {metric.order} steps"
    pooling = "one law for all steps" if metric.stationary else "a law of its own for every step"
    frame = Frame(
        variables=(metric.source, metric.target),
        boundary=f"in every step {actions} comes before {observations}; {memory} of both, {pooling}",
        horizon=None,
        goal="none",
        start="the environment's own resets; what is seen before the first action is left out",
        interventions=(),
    )
    return found.measurement(estimate.__name__, metric, frame)


def _check(metric: "DirectedInformation | Plasticity", least: int) -> None:
    if (metric.order is not None and metric.order < least) or metric.surrogates < 0:
        raise UserError(f"expected an order of at least {least}, or None, and surrogates >= 0, got {metric}")


@final
@dataclass(frozen=True)
class DirectedInformation(Metric):
    """Directed information from actions to observations, in bits per step: the empowerment an agent makes use of.

    A uniformly random agent may score highest: read it next to plasticity. `source` comes first in every step.
    """

    source: str = "action"
    target: str = "next_obs"
    order: int | None = 1
    stationary: bool = True
    surrogates: int = 499

    access = Access.RECORDS
    unit = "bits per step"
    needs = ("record",)

    def __post_init__(self) -> None:
        _check(self, 0)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return _measured(
            self,
            subject,
            directed_information,
            actions=self.source,
            observations=self.target,
            generator=generator,
        )


@final
@dataclass(frozen=True)
class Plasticity(Metric):
    """Directed information from observations to actions, in bits per step: how far what is seen shapes what is done.

    A reflex scores highest, a random agent not at all: read it next to directed_information. `target` comes first in
    every step.
    """

    source: str = "next_obs"
    target: str = "action"
    order: int | None = 1
    stationary: bool = True
    surrogates: int = 499

    access = Access.RECORDS
    unit = "bits per step"
    needs = ("record",)

    def __post_init__(self) -> None:
        _check(self, 1)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return _measured(self, subject, plasticity, actions=self.target, observations=self.source, generator=generator)
