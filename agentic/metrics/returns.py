"""Intervals of a mean return that hold it as often as they say, of few episodes too.

The percentile bootstrap holds the mean of 2, 5 and 10 normal returns in .50, .83 and .89 of records where .95 is said,
and no spread tells of a payoff that was not met yet. What is here is tried by `python -m calibration returns`.
"""

from collections.abc import Sequence
from math import inf, nan, sqrt

import numpy as np
from scipy.special import betaincinv, stdtrit

from agentic.errors import UserError
from agentic.metrics.measurement import Interval, mean_interval

BIT = (0.0, 1.0)  # the payoffs of a world that says only whether an episode succeeded
HUGE = 1e100
STRAIGHT = 1e-6  # skewness below which there is none to take away


def return_interval(
    returns: Sequence[float] | np.ndarray, level: float = 0.95, *, payoffs: tuple[float, float] | None = None
) -> tuple[float, Interval]:
    """The mean of one return per episode (n,) and its interval; NaN bounds for fewer than two.

    `payoffs` are the only two returns that the world pays, where they are known; returns that are all 0 or 1 are taken
    for such. Then the interval is that of a share (Clopper and Pearson 1934), which holds at least as often as it says.
    Otherwise Student's t of returns transformed so that their skewness is gone (Hall 1992); without any it is Student's
    own. Raises UserError for a return that is not among `payoffs`.
    """
    sample = np.asarray(returns, np.float64)
    largest = float(np.abs(sample).max(initial=0.0))
    if 0 < largest < inf and not 1 / HUGE < largest < HUGE and payoffs is None:  # whose squares are no numbers
        mean, found = return_interval(sample / largest / 2, level)
        low, high = (2 * end * largest for end in (found.low, found.high))
        return 2 * mean * largest, Interval(level, low, high, found.method)
    mean, plain = mean_interval(sample, level)
    low, high = sorted(payoffs or BIT)
    others = sample[~np.isin(sample, (low, high))]
    if payoffs and len(others):
        raise UserError(f"returns are said to be {low:g} or {high:g}, one is {others[0]:g}: leave payoffs out")
    if len(sample) < 2 or not np.isfinite(sample).all():
        return mean, plain
    if not len(others):
        ends = _share(int((sample == high).sum()), len(sample), level)
        method = f"Clopper-Pearson over {len(sample)} episodes"
        return mean, Interval(level, low + ends[0] * (high - low), low + ends[1] * (high - low), method)
    alike = ", all alike" if np.ptp(sample) == 0 else ""
    below, above = _unskewed(sample, level)
    return mean, Interval(level, mean - below, mean + above, f"skewness-corrected t over {len(sample)} episodes{alike}")


def _share(hits: int, count: int, level: float) -> tuple[float, float]:
    """The shares under which so few, or so many, of `count` would be hits with probability (1 - level) / 2."""
    rest = (1 - level) / 2
    low = float(betaincinv(hits, count - hits + 1, rest)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1 - rest)) if hits < count else 1.0
    return low, high


def _unskewed(sample: np.ndarray, level: float) -> tuple[float, float]:
    """How far the interval reaches below and above the mean.

    With the skewness g of a sample, T = (mean - truth) / sd and W = T + g T^2 / 3 + g^2 T^3 / 27 + g / (6 n), sqrt(n) W
    is more nearly Student's than sqrt(n) T is; a cube root solves for T.
    """
    n, spread = len(sample), float(sample.std(ddof=1))
    reach = float(stdtrit(n - 1, 0.5 + level / 2)) / sqrt(n)
    skew = float((((sample - sample.mean()) / spread) ** 3).mean()) if spread > 0 else nan
    if not abs(skew) > STRAIGHT:
        return reach * spread, reach * spread
    below, above = (3 / skew * (np.cbrt(1 + skew * (end - skew / (6 * n))) - 1) for end in (reach, -reach))
    return float(below) * spread, -float(above) * spread
