"""What leaving out episodes does to an estimate: its bias and its spread, with no theory of either.

The spread of a sample's own contributions misses what the fit to the same sample hides: where histories are seen hardly
twice, or one long memory runs through few episodes, it is too small.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from agentic import Interval
from agentic_metrics.sampling.information import Information

PARTS = 20  # at most so many parts of the episodes are left out in turn


@final
@dataclass(frozen=True)
class Jackknife:
    """`bias` and `variance` of an estimate from `parts` others, each without one part of the episodes (Tukey 1958)."""

    bias: float
    variance: float
    parts: int

    @classmethod
    def of(
        cls, value: float, again: Callable[[NDArray[np.bool_]], Information], episode: NDArray[np.int64]
    ) -> "Jackknife":
        """`again` estimates from the samples kept (n,); `episode` (n,) is that of each sample, of at least two."""
        names, where = np.unique(episode, return_inverse=True)
        parts = min(len(names), PARTS)
        part = where * parts // len(names)
        without = np.array([again(part != left_out).value for left_out in range(parts)])
        shrink = parts - 1
        return cls(shrink * float(without.mean() - value), shrink * float(without.var()), parts)

    def interval(self, information: Information, value: float, *, level: float) -> Interval:
        """Student's t about `value`; the chi-square part of second order is added, as all there is at independence."""
        second = 2 * information.bias**2 / information.freedom if information.freedom else 0.0
        half = float(stdtrit(self.parts - 1, 0.5 + level / 2) * np.sqrt(self.variance + second))
        return Interval(level, value - half, value + half, f"jackknife over {self.parts} parts of the episodes")
