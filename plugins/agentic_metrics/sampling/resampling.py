"""Intervals from resampled episodes: the steps of one episode depend on each other, episodes do not.

The spread of a sample's own contributions misses what the fit to the same sample hides: where histories are seen hardly
twice, or one long memory runs through few episodes, it is too small. Leaving episodes out shows it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from agentic import Interval
from agentic_metrics.sampling.information import Information

PARTS = 20  # at most so many parts of the episodes are left out in turn


@final
@dataclass(frozen=True)
class Jackknife:
    """The `bias` and `variance` of an estimate from `parts` others, each without some of the episodes (Tukey 1958)."""

    bias: float
    variance: float
    parts: int

    @classmethod
    def of(
        cls, value: float, again: Callable[[NDArray[np.bool_]], Information], episode: NDArray[np.int64]
    ) -> "Jackknife":
        """The jackknife of an estimate `value`, repeated by `again` on the samples kept (n,).

        `episode` (n,) is that of each sample, of at least two.
        """
        names, where = np.unique(episode, return_inverse=True)
        parts = min(len(names), PARTS)
        part = where * parts // len(names)
        without = np.array([again(part != left_out).value for left_out in range(parts)])
        shrink = parts - 1
        return cls(shrink * float(without.mean() - value), shrink * float(without.var()), parts)

    def interval(self, information: Information, value: float, *, level: float) -> Interval:
        """Student's t interval about `value`, the variance of second order of the information added."""
        error = (self.variance + information.second_order) ** 0.5
        method = f"jackknife over {self.parts} parts of the episodes"
        return Interval.student(value, error, self.parts - 1, level=level, method=method)
