"""The interquartile mean of what several seeds gave, and how far it would be another for other seeds."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from scipy.special import ndtr, stdtrit

RESAMPLES = 2000


def interquartile_mean(values: np.ndarray) -> float:
    """The mean of `values` (n,) without the n // 4 least and the n // 4 largest; NaN for fewer than four.

    It is what Agarwal et al. 2021 report, and `scipy.stats.trim_mean(values, 0.25)`.
    """
    return float(_trimmed(np.asarray(values, np.float64)))


def resampled(samples: Sequence[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    """The interquartile means (2000,) of bootstrap resamples, each of as many whole `samples` with all their values.

    A sample is what one seed gave: seeds are drawn, for they are what is independent.
    """
    count = len(samples)
    draws = generator.integers(count, size=(RESAMPLES, count))
    if len({len(each) for each in samples}) == 1:
        return _trimmed(np.stack(samples)[draws].reshape(RESAMPLES, -1))
    return np.array([interquartile_mean(np.concatenate([samples[place] for place in row])) for row in draws])


def expanded(found: np.ndarray, count: int, level: float = 0.95) -> tuple[float, float]:
    """The ends of the interval that the percentiles of `found` in resamples of `count` seeds give.

    They are moved out as far as Student's t is beyond the normal distribution and sd / sqrt(n) below s / sqrt(n)
    (Hesterberg 2015): plain percentiles hold the value of 5 and 10 seeds in .82 and .90 of records where .95 is said,
    these in .91 and .94.
    """
    rest = float(ndtr(-sqrt(count / (count - 1)) * stdtrit(count - 1, 0.5 + level / 2)))
    with np.errstate(all="ignore"):  # of what is infinite
        low, high = np.quantile(found, [rest, 1 - rest])
    return float(low), float(high)


def _trimmed(values: np.ndarray) -> np.ndarray:
    """The interquartile mean along the last axis."""
    cut = values.shape[-1] // 4
    if not cut:
        return np.full(values.shape[:-1], np.nan)
    with np.errstate(all="ignore"):  # of what is infinite
        return np.asarray(np.sort(values, -1)[..., cut:-cut].mean(-1))
