"""Intervals by resampling episodes: the steps of one episode depend on each other, episodes do not."""

import numpy as np
from numpy.typing import NDArray

from agentic import Interval


def mean_interval(
    values: NDArray[np.float64], *, level: float, resamples: int, generator: np.random.Generator
) -> Interval:
    """The percentile bootstrap interval of the mean of one value per episode (n,) (Efron 1979)."""
    means = np.empty(resamples)
    for i in range(resamples):
        means[i] = values[generator.integers(len(values), size=len(values))].mean()
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(level, float(low), float(high), f"bootstrap over episodes, {resamples} resamples")
