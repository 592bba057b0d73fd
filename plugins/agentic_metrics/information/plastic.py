"""Directed information and plasticity of recorded episodes, estimated from how often which history occurred.

An ensemble of episodes is needed: one run of a deterministic pair fixes its own future, and nothing flows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from agentic import Access, Frame, Measurement, Metric, Subject, UserError
from agentic_metrics.cautions import Caution, too_few
from agentic_metrics.estimate import Estimate, observed
from agentic_metrics.sampling.embedding import check_aligned
from agentic_metrics.sampling.information import Information
from agentic_metrics.sampling.plugin import ENOUGH, Plugin
from agentic_metrics.sampling.resampling import Jackknife
from agentic_metrics.sampling.series import Series, Variable, codes, recorded
from agentic_metrics.sampling.surrogates import EPISODES, null

Names = NDArray[np.int64]

LEVEL = 0.95  # of the interval


@dataclass(frozen=True)
class _Flow(Metric):
    """The fields of directed information, from `source` to `target`."""

    source: str = "action"
    target: str = "next_obs"
    order: int | None = 1
    stationary: bool = True
    surrogates: int = 499

    access = Access.RECORDS
    unit = "bits per step"
    needs = ("record",)

    def _check(self, least: int) -> None:
        if (self.order is not None and self.order < least) or self.surrogates < 0:
            order = f"an order of at least {least} past steps, or None for all of them"
            raise UserError(f"expected {order}, and surrogates >= 0, got {self}")

    def _frame(self, actions: str, observations: str) -> Frame:
        memory = "the whole past" if self.order is None else f"the last {self.order} steps"
        pooling = "one law for all steps" if self.stationary else "a law of its own for every step"
        return observed(
            (self.source, self.target),
            boundary=f"in every step {actions} comes before {observations}; {memory} of both, {pooling}",
            horizon=None,
            start="the environment's own resets; what is seen before the first action is left out",
        )

    def _estimate(
        self, source: tuple[str, Variable], target: tuple[str, Variable], generator: np.random.Generator
    ) -> Estimate:
        """The estimate; its interval is that of episodes left out, because long pasts are fitted too well."""
        sample = _Sample.of(source, target, order=self.order, stationary=self.stationary)
        count, steps = len(sample.series.lengths), np.arange(len(sample.target))
        found = sample.information(steps)
        found = replace(found, cautions=(*found.cautions, *sample.cautions()))
        found, against = null(
            found, sample.series, sample.episode, sample.information, surrogates=self.surrogates, generator=generator
        )
        shown = {"bits_per_episode": found.value * len(steps) / count, "bias": found.bias, "freedom": found.freedom}
        estimate = Estimate.of(found, "plugin", sample.episode, null=against, diagnostics=shown)
        if count < 2:
            return estimate
        left_out = Jackknife.of(found.value, lambda kept: sample.information(np.where(kept, steps, -1)), sample.episode)
        return replace(estimate, interval=left_out.interval(found, found.value, level=LEVEL))


@final
@dataclass(frozen=True)
class DirectedInformation(_Flow):
    """Directed information from actions to observations, in bits per step: the empowerment an agent makes use of.

    The mean over t of I(A_t-m:t; O_t | O_t-m:t-1) (Massey 1990; Jiao et al. 2013). `order` m is the memory that is
    looked at, None all of it (whole sequences, for tiny alphabets and short episodes only). A truncated past of O
    overstates what flows where O remembers longer than m. `stationary` pools all steps; otherwise every t has its own
    law, which needs as many more episodes. A uniformly random agent may score highest: read it next to plasticity. In
    every step the column `source` comes before the column `target`.
    """

    def __post_init__(self) -> None:
        self._check(0)

    def estimate(self, actions: Variable, observations: Variable, *, generator: np.random.Generator) -> Estimate:
        """The estimate from one array of names per episode each; observation t is what followed action t.

        Plug-in estimate with its bias removed, jackknife over episodes, null from exchanging the actions of whole
        episodes. Raises UserError for what are no names.
        """
        return self._estimate(("actions", actions), ("observations", observations), generator)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        actions, observations = (recorded(subject.record, name) for name in (self.source, self.target))
        found = self.estimate(actions, observations, generator=generator)
        return found.measurement("directed_information", self, self._frame(self.source, self.target))


@final
@dataclass(frozen=True)
class Plasticity(_Flow):
    """Directed information from observations to actions, in bits per step: how far what is seen shapes what is done.

    The mean over t of I(O_t-m:t-1; A_t | A_t-m:t-1) (Abel et al. 2025), with `order` m and `stationary` as in
    `DirectedInformation`. The column `target` comes first in every step, so only earlier observations can have shaped
    it. A reflex scores highest, a random agent and a rock not at all: read it next to directed_information.
    """

    source: str = "next_obs"
    target: str = "action"

    def __post_init__(self) -> None:
        self._check(1)

    def estimate(self, actions: Variable, observations: Variable, *, generator: np.random.Generator) -> Estimate:
        """The estimate from one array of names per episode each, as that of `DirectedInformation`; actions first.

        In the null the observations of whole episodes are exchanged.
        """
        return self._estimate(("observations", observations), ("actions", actions), generator)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        actions, observations = (recorded(subject.record, name) for name in (self.target, self.source))
        found = self.estimate(actions, observations, generator=generator)
        return found.measurement("plasticity", self, self._frame(self.target, self.source))


@final
@dataclass(frozen=True)
class _Sample:
    """Every step of every episode: names (n,) of source and target from 1, and which lags are looked at.

    `ahead` is the smallest lag of the source: 0 where it comes before the target within a step, else 1.
    """

    series: Series  # of the source
    source: Names
    target: Names
    ahead: int
    lags: int
    stationary: bool

    @classmethod
    def of(
        cls, source: tuple[str, Variable], target: tuple[str, Variable], *, order: int | None, stationary: bool
    ) -> "_Sample":
        """The sample of named episodes; actions come before observations in every step."""
        pair = {name: Series.of(values) for name, values in (source, target)}
        check_aligned(**pair)
        x, y = pair.values()
        if not (x.discrete and y.discrete) or not sum(x.lengths):
            raise UserError(
                "directed information counts names (whole numbers) over at least one step, got measured values or "
                "nothing: bin them first, or use transfer_entropy with an estimator for numbers"
            )
        longest = max(x.lengths) - 1
        lags = longest if order is None else min(order, longest)
        return cls(x, codes(x.joined()) + 1, codes(y.joined()) + 1, int(target[0] == "actions"), lags, stationary)

    @cached_property
    def times(self) -> Names:
        return np.concatenate([np.arange(length) for length in self.series.lengths])

    @cached_property
    def episode(self) -> Names:
        return np.repeat(np.arange(len(self.series.lengths)), self.series.lengths)

    @cached_property
    def given(self) -> Names:
        """The past of the target as one code (n, 1), where every step has its own law together with the time."""
        past = self._past(self.target, 1)
        return codes(past if self.stationary else np.column_stack([past, self.times]))[:, None]

    def information(self, places: Names) -> Information:
        """I(past and present of the source; target | its past), each step's source taken from `places` (n,).

        "Before the episode" is a name of its own; steps whose place is -1 are left out.
        """
        x, kept = self._past(self.source[places], self.ahead), places >= 0
        return Plugin().information(x[kept], self.target[kept, None], self.given[kept])

    def cautions(self) -> Iterator[Caution]:
        """Too few episodes, or too few steps: where hardly any history was seen twice, information seems to be zero."""
        count, steps = len(self.series.lengths), len(self.target)
        histories = int(codes(np.column_stack([self._past(self.source, self.ahead), self.given])).max()) + 1
        if count < EPISODES:
            yield too_few(f"{count} episodes are hardly an ensemble: record at least {EPISODES}")
        if steps < ENOUGH * histories:
            few = f"{steps} steps are too few for {histories} different histories"
            yield too_few(f"{few}: record at least {ENOUGH * histories}, or lower the order")

    def _past(self, names: Names, first: int) -> Names:
        """Names at the lags from `first`, side by side (n, lags), 0 before the episode."""
        lagged = [np.where(self.times >= lag, np.roll(names, lag), 0) for lag in range(first, self.lags + 1)]
        return np.column_stack(lagged) if lagged else np.zeros((len(names), 0), np.int64)
