"""The adaptation that returns of trials show: indices, their intervals and their null."""

from dataclasses import dataclass
from math import nan
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Interval, Null, UserError
from agentic_metrics.estimate import EXACT, exact_null
from agentic_metrics.finite.world import Floats
from agentic_metrics.pairs import exchanged, student
from agentic_metrics.sampling.surrogates import compare

SENSITIVE = 0.01  # of the best return: what planning anew must be worth for adaptation to be defined
SURROGATES = 999


def index(frozen: Any, after: Any, best: Any, noise: Any = 0.0) -> Any:
    """(after - frozen) / (best - frozen); NaN where the gap is too small to be adapted to, or not told from noise."""
    gap = np.asarray(best - frozen)
    sensitive = gap > np.maximum(np.maximum(EXACT, SENSITIVE * np.abs(best)), noise)
    return np.where(sensitive, (after - frozen) / np.where(sensitive, gap, 1.0), nan)


@final
@dataclass(frozen=True)
class Returns:
    """Returns of an agent as it was and after the change, (interventions, episodes), in a single column where `exact`.

    `best` (interventions, n) are those of the best policy: one known value, or n episodes, the same for all
    interventions, of what is taken for it.
    """

    frozen: Floats
    after: Floats
    best: Floats
    exact: bool

    @classmethod
    def of(cls, frozen: ArrayLike, after: ArrayLike, best: ArrayLike) -> Self:
        """From `frozen` and `after` (interventions,) where exact, else (interventions, episodes), `best` as either.

        Raises UserError where shapes disagree.
        """
        before, later, top = (np.asarray(values, dtype=np.float64) for values in (frozen, after, best))
        fits = before.shape == later.shape and before.ndim in (1, 2)
        if not fits or top.ndim not in (1, 2) or len(top) != len(before):
            raise UserError(
                "policy adaptation expects frozen and after (interventions,) or (interventions, episodes) and best "
                f"(interventions,) or (interventions, episodes), got {before.shape}, {later.shape} and {top.shape}"
            )
        count = len(before)
        return cls(before.reshape(count, -1), later.reshape(count, -1), top.reshape(count, -1), before.ndim == 1)

    @property
    def indices(self) -> Floats:
        """The adaptation index of each intervention, NaN where it is not defined."""
        noise = 2 * np.hypot(_error(self.frozen), _error(self.best))
        return np.asarray(index(self.frozen.mean(-1), self.after.mean(-1), self.best.mean(-1), noise))

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Some of the interventions."""
        return type(self)(self.frozen[chosen], self.after[chosen], self.best[chosen], self.exact)

    def interval(self, level: float, *, decided: bool) -> Interval | None:
        """The interval of the mean index: over the family that the interventions were drawn from.

        Where they were `decided` on, over episodes by the delta method, the frozen and the later return of an episode
        being a pair; None where that is exact.
        """
        if not decided:
            return student(self.indices, level=level, kind="interventions")
        if self.exact:
            return None
        indices, gaps = self.indices, self.best.mean(-1) - self.frozen.mean(-1)
        pairs = self.after - (1 - indices[:, None]) * self.frozen
        chance = np.hypot.reduce(_error(pairs) / gaps)
        ours = (indices / gaps * _error(self.best)).sum()  # what stands for the best is the same for all
        count, episodes = self.frozen.shape
        error = float(np.hypot(chance, ours)) / count if episodes > 1 else np.inf
        method = f"Student t over {episodes} episodes, delta method"
        return Interval.student(float(indices.mean()), error, max(1, episodes - 1), level=level, method=method)

    def null(self, generator: np.random.Generator | None) -> Null:
        """What an agent that does not adapt gives: 0, or frozen and after exchanged in random episodes.

        Raises UserError for sampled returns without a generator.
        """
        if self.exact:
            return exact_null(float(self.indices.mean()), "a policy that does not change")
        if generator is None:
            raise UserError("policy adaptation of sampled returns needs a generator, for its null")
        shares = (self.after - self.frozen) / (self.best.mean(-1) - self.frozen.mean(-1))[:, None]
        surrogates = exchanged(shares, SURROGATES, generator)
        return compare(float(shares.mean()), surrogates, "frozen and after exchanged in random episodes", tie=EXACT)


def _error(values: Floats) -> Floats:
    """Standard errors of the means of the rows of `values` (n, episodes), (n,); 0 of single values."""
    count = values.shape[1]
    return np.asarray(values.std(-1, ddof=1) / np.sqrt(count)) if count > 1 else np.zeros(len(values))
