"""What seeds tell: a mean or an interquartile mean with its interval, and by how much two groups of seeds differ."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from math import hypot, inf, isfinite, nan, sqrt
from typing import Any, ClassVar, final

import numpy as np
from scipy.special import stdtr

from agentic import Interval
from agentic.metrics import expanded, finite, interquartile_mean, mean_interval, resampled
from agentic.runs import stream

LEVEL = 0.95
ROUNDING = 1e-12  # of the largest value: a spread that is less is none, but that of sums of floats
FEWEST = 5  # seeds of which a bootstrap tells how far the next might be


@final
@dataclass(frozen=True)
class Estimate:
    """A value over seeds, and its interval where there is one."""

    value: float
    interval: Interval | None = None

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """The ends of the interval, None where there is none."""
        return (None, None) if self.interval is None else (finite(self.interval.low), finite(self.interval.high))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        low, high = self.ends
        method = None if self.interval is None else self.interval.method
        return {"value": finite(self.value), "low": low, "high": high, "method": method}


@final
@dataclass(frozen=True)
class Difference:
    """By how much a group is above the first: its `p_value`, and that which is `adjusted` for all comparisons.

    `paired` says whether it is that of the same seeds, seed by seed.
    """

    estimate: Estimate
    p_value: float | None = None
    adjusted: float | None = None
    paired: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        chances = {"p_value": self.p_value, "adjusted_p_value": self.adjusted}
        return {**self.estimate.to_dict(), **chances, "paired": self.paired}


class Statistic(ABC):
    """A summary of one value per seed, (n,), with a 95 % interval over seeds."""

    name: ClassVar[str]
    method: ClassVar[str]
    tests: ClassVar[bool]  # whether a difference that has a spread has a p-value

    @abstractmethod
    def estimate(self, values: np.ndarray) -> Estimate:
        """The summary of the values; NaN where they are too few."""

    @abstractmethod
    def difference(self, first: np.ndarray, other: np.ndarray, *, paired: bool) -> Difference:
        """How far `other` is above `first`; where they are `paired`, place by place of the same seeds."""


@final
class Mean(Statistic):
    """The mean, Student's interval, and Welch's of a difference."""

    name = "mean"
    method = "Student t over seeds"
    tests = True

    def estimate(self, values: np.ndarray) -> Estimate:
        value, interval = mean_interval(values, LEVEL)
        return Estimate(value, replace(interval, method=self.method) if isfinite(interval.low) else None)

    def difference(self, first: np.ndarray, other: np.ndarray, *, paired: bool) -> Difference:
        """Student's of the differences of pairs, else Welch's with Satterthwaite's degrees of freedom.

        Without any spread there is no p-value, and the interval has no width.
        """
        value, error, freedom = _paired(other - first) if paired else _welch(first, other)
        largest = max(np.abs(first).max(initial=0.0), np.abs(other).max(initial=0.0))
        error = 0.0 if error <= ROUNDING * largest < inf else error
        if not (isfinite(error) and freedom > 0):
            return Difference(Estimate(value), paired=paired)
        method = "paired Student t" if paired else "Welch t"
        interval = Interval.student(value, error, freedom, level=LEVEL, method=method)
        p_value = 2 * float(stdtr(freedom, -abs(value) / error)) if error > 0 else None
        return Difference(Estimate(value, interval), p_value, paired=paired)


@final
class InterquartileMean(Statistic):
    """The mean of the middle half of seeds, and the bootstrap that draws seeds (Agarwal et al. 2021).

    Differences have an interval and no p-value.
    """

    name = "interquartile mean"
    method = "expanded percentile bootstrap over seeds"
    tests = False

    def estimate(self, values: np.ndarray) -> Estimate:
        value = interquartile_mean(values)
        return Estimate(value, self._interval(_draws(values, "first"), len(values)) if len(values) >= FEWEST else None)

    def difference(self, first: np.ndarray, other: np.ndarray, *, paired: bool) -> Difference:
        value, count = interquartile_mean(other) - interquartile_mean(first), min(len(first), len(other))
        if count < FEWEST:
            return Difference(Estimate(value), paired=paired)
        found = _draws(other, "first" if paired else "other") - _draws(first, "first")
        return Difference(Estimate(value, self._interval(found, count)), paired=paired)

    def _interval(self, found: np.ndarray, count: int) -> Interval | None:
        low, high = expanded(found, count, LEVEL)
        return Interval(LEVEL, low, high, self.method) if isfinite(low) and isfinite(high) else None


def _paired(differences: np.ndarray) -> tuple[float, float, float]:
    """The mean, its standard error and its degrees of freedom."""
    count = len(differences)
    with np.errstate(all="ignore"):  # of what is infinite
        error = float(differences.std(ddof=1)) / sqrt(count) if count > 1 else nan
        return float(differences.mean()) if count else nan, error, count - 1


def _welch(first: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """The difference of two means, its standard error, and the degrees of freedom by Satterthwaite (1946)."""
    (one, spread, left), (two, width, right) = _paired(first), _paired(other)
    error = hypot(spread, width)
    if not error > 0:
        return two - one, error, left + right
    shares = (spread / error) ** 4 / max(left, 1) + (width / error) ** 4 / max(right, 1)
    return two - one, error, 1 / shares


def _draws(values: np.ndarray, name: str) -> np.ndarray:
    """Interquartile means of resamples; always the same seeds are drawn for a name."""
    generator = np.random.default_rng(stream(0, f"comparison {name}"))
    return resampled([np.array([value]) for value in values], generator)
