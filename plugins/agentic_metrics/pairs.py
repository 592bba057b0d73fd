"""What chance makes of responses: the interval of a mean, and nulls by exchanging and permuting what was compared."""

from dataclasses import replace

import numpy as np

from agentic import Interval, Null
from agentic_metrics.estimate import EXACT
from agentic_metrics.finite.world import Floats
from agentic_metrics.sampling.surrogates import compare


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


def permuted(value: float, draws: Floats, kind: str, *, tie: float = EXACT) -> Null:
    """The null of `value` by its `draws` under permutations of a `kind`, one-sided; those within `tie` reach it."""
    return replace(compare(value, draws, kind, tie=tie), sd=float(draws.std()))
