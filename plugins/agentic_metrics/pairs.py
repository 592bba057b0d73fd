"""Differences between the two lives of each pair: the interval of their mean, and what they are by chance alone."""

import numpy as np
from numpy.typing import NDArray

from agentic import Interval

Floats = NDArray[np.float64]


def student(values: Floats, *, level: float, kind: str) -> Interval:
    """Student's interval of the mean of independent `values` (n,) of a `kind`; all numbers for a single one."""
    count = len(values)
    error = float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else np.inf
    method = f"Student t over {count} {kind}"
    return Interval.student(float(values.mean()), error, max(1, count - 1), level=level, method=method)


def exchanged(gaps: Floats, surrogates: int, generator: np.random.Generator) -> Floats:
    """The mean of `gaps`, of any shape, where the two sides of each trade places at random, (surrogates,)."""
    signs = generator.choice([-1.0, 1.0], size=(surrogates, *gaps.shape))
    return np.asarray((signs * gaps).mean(tuple(range(1, signs.ndim))))
