"""Conditional mutual information from samples: one contract that every estimator meets.

Transfer entropy, information storage, policy complexity and autonomy are all I(X; Y | Z) of something; what differs is
what X, Y and Z are. So an estimator is chosen once, and each metric only arranges its variables.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from agentic import Interval, UserError
from agentic_metrics.cautions import Caution

Floats = NDArray[np.float64]
Values = NDArray[np.generic]  # (n, d): int64 names or float64 numbers

FIXED = Caution(
    "y never varies given what is conditioned on, so its conditional information is zero whatever x does: "
    "vary the start states or add observation noise"
)


@final
@dataclass(frozen=True)
class Information:
    """An estimate of I(X; Y | Z) from n samples, in bits.

    `local` (n,): each sample's contribution; their mean is the raw estimate. `bias` is what a raw estimate exceeds the
    truth by on average, as far as it is known. `freedom` is the number of degrees of freedom of 2 N I (in nats) where
    X and Y are independent given Z, None where that is no chi-square. `noise` finds the variance (bits^2) that the
    estimate has beyond the spread of its contributions; None where there is none. `expected` finds the count that nine
    in ten cells of a table can expect if X and Y are independent given Z; None where nothing is counted. Other
    quantities that are a mean over samples, such as an entropy, may be put here too: their `bias` may be negative,
    `freedom` is that of the chi-square that is left where the spread of `local` vanishes.
    """

    local: Floats
    bias: float = 0.0
    freedom: int | None = None
    cautions: tuple[Caution, ...] = ()
    noise: Callable[[], float] | None = None
    expected: Callable[[], float] | None = None

    @property
    def value(self) -> float:
        """The estimate, bias removed; not clipped at zero, because that would bias averages."""
        return float(self.local.mean()) - self.bias

    @property
    def second_order(self) -> float:
        """The variance 2 bias^2 / freedom of the chi-square part, all there is near independence; 0 without one."""
        return 2 * self.bias**2 / self.freedom if self.freedom else 0.0


class Estimator(ABC):
    """A method of estimating I(X; Y | Z) from samples; concrete ones are frozen dataclasses of their parameters."""

    name: ClassVar[str]

    @abstractmethod
    def information(self, x: Values, y: Values, given: Values | None = None) -> Information:
        """I(x; y | given) of samples (n, d) each, in bits. Raises UserError for values that the method cannot take."""


def refuse_names(label: str, values: Values, why: str) -> None:
    """Check that values (n, d) are numbers. Raises UserError, with the estimators that take names, otherwise."""
    if values.dtype.kind != "f" and values.shape[1]:
        raise UserError(
            f"{label} holds names, {why}: use the plug-in estimator, or the mixed one where other variables are "
            "measured (convert them to float64 if these whole numbers are measurements)"
        )


def interval(information: Information, groups: NDArray[np.int64], *, level: float = 0.95) -> Interval:
    """The confidence interval of an estimate whose samples depend on each other within `groups` (n,), its episodes.

    An estimator of information is to first order the mean of its local contributions, so that the spread of their sums
    over independent episodes gives the square of its standard error (the infinitesimal jackknife; Efron 1982). Added
    are the variance of second order and the estimator's `noise`. Student's t has the number of episodes less one
    degrees of freedom. A single episode is cut into blocks.
    """
    several = len(np.unique(groups)) > 1
    groups = groups if several else blocks(information.local)
    count = len(np.unique(groups))
    variance = standard_error(information.local, groups) ** 2
    variance += information.second_order
    variance += information.noise() if information.noise else 0.0
    error = variance**0.5 if count > 1 else np.inf  # a single sample has no spread
    method = f"Student t over {count} {'episodes' if several else 'blocks of one episode'}"
    return Interval.student(information.value, error, max(1, count - 1), level=level, method=method)


def standard_error(local: Floats, groups: NDArray[np.int64]) -> float:
    """The standard error of the mean of `local` (n,), from the spread of its sums over `groups` (n,)."""
    _, where = np.unique(groups, return_inverse=True)
    count = int(where.max()) + 1
    sums = np.bincount(where, local - local.mean(), count)
    return float(np.sqrt(count / max(1, count - 1) * (sums**2).sum())) / len(local)


def blocks(local: Floats) -> NDArray[np.int64]:
    """The block of each sample (n,) of one long episode, as a number from 0.

    A block is at least 5 integrated autocorrelation times long, and at most n / 10.
    """
    n = len(local)
    size = int(min(max(np.ceil(5 * correlation_time([local[:, None]])), np.sqrt(n)), max(1, n // 10)))
    return np.arange(n) // size


def correlation_time(episodes: Sequence[Floats], *, share: int = 10) -> float:
    """The integrated autocorrelation time 1 + 2 sum of r(lag) up to the first r <= 0, of numbers (t, d) per episode.

    r(lag) is the autocovariance summed over columns and averaged over all pairs within episodes, over that at lag 0;
    lags go up to the longest episode over `share`.
    """
    mean = np.concatenate(episodes).mean(axis=0)
    centered = [episode - mean for episode in episodes]
    variance = sum(float((each**2).sum()) for each in centered) / sum(map(len, centered))
    time = 1.0
    for lag in range(1, max(map(len, centered)) // share if variance > 0 else 0):
        pairs = [(each[:-lag] * each[lag:]).sum() for each in centered if len(each) > lag]
        correlation = float(sum(pairs)) / sum(len(each) - lag for each in centered if len(each) > lag) / variance
        if correlation <= 0:
            break
        time += 2 * correlation
    return time
