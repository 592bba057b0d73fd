"""What columns tell about each other, whatever the form of it, from distances to nearest neighbors."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import digamma

from agentic import UserError
from agentic_discovery.columns import Columns, scaled
from agentic_discovery.couplings import stacked
from agentic_discovery.greedy import Scores

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

WORK = 3_000_000  # columns squared times steps and lag, at most: five minutes of a processor
REPEATED = 0.1  # the share of a column's values that may have been seen before
SHARE = 25  # a neighbor is one of the nearest steps / 25
SMOOTH = 30  # steps whose mean is taken away
DRAWS = 24  # of independent columns, from which it is known how estimates vary


@final
class Distances(Scores):
    """Scores of the next value of each column given others, from rows (steps, places) of numbers.

    Of a target and of a column, what the mean of the `SMOOTH` steps nearest in the given columns tells is taken away,
    and what is left is ranked. The mutual information of both ranks is estimated from the distance to the k-th
    neighbor, k = steps / 25 (Kraskov, Stoegbauer and Grassberger 2004, their first estimator):

        I = psi(k) + psi(n) - mean of psi(n_x + 1) + psi(n_y + 1).

    In independent columns n I has a mean and a spread s that depend on n and k alone. With d what n I exceeds that mean
    by, the score is the smaller of d and of what d / s deviations tell against chance, (d / s)^2 / 2 - log(n) / 2.
    """

    def __init__(self, rows: Floats) -> None:
        spread = rows.std(0)
        self.rows = (rows - rows.mean(0)) / np.where(spread > 0, spread, 1.0)
        self.steps, self.k = len(rows), max(len(rows) // SHARE, 1)
        self.hopeless = -float(np.log(self.steps)) / 2
        self._source = np.random.default_rng(0)  # of the order of values that are the same
        self._known: tuple[tuple[int, ...], Floats] = ((), self.rows)

    @classmethod
    def of(cls, recording: Columns, lag: int) -> Self:
        """Distances in a recording, of more than `SMOOTH` steps with enough past."""
        return cls(stacked(scaled(recording.values), recording.episodes, lag))

    def gain(self, target: int, place: int, given: Sequence[int]) -> float:
        left = self._left(tuple(given))
        found = self.steps * information(self._ranks(left[:, target]), self._ranks(left[:, place]), self.k)
        mean, spread = chance(self.steps, self.k)
        above = found - mean
        sure = np.sign(above) * (above / spread) ** 2 / 2 - np.log(self.steps) / 2
        return float(min(above, sure))

    def _left(self, given: tuple[int, ...]) -> Floats:
        """All columns less the mean of their values at the steps nearest in those given."""
        if given and self._known[0] != given:
            near = cKDTree(self.rows[:, given]).query(self.rows[:, given], k=SMOOTH + 1)[1][:, 1:]
            mean = np.zeros_like(self.rows)
            for each in near.T:
                mean += self.rows[each]
            self._known = given, self.rows - mean / SMOOTH
        return self._known[1] if given else self.rows

    def _ranks(self, column: Floats) -> Ints:
        ranks = np.empty(self.steps, np.intp)
        ranks[np.lexsort((self._source.random(self.steps), column))] = np.arange(self.steps)
        return ranks


def check_affordable(recording: Columns, lag: int) -> None:
    """Raise UserError where neighbors take too long, or the values of a column repeat."""
    count, steps = len(recording.names), len(recording.values)
    if count**2 * steps * lag > WORK:
        raise UserError(
            f"the neighbors estimator takes too long for {count} columns and {steps} steps at lag {lag}: give at most "
            f"{WORK // (count**2 * lag)} steps, fewer columns, or use the gaussian estimator"
        )
    for name, column in zip(recording.names, recording.values.T, strict=True):
        repeated = 1 - len(np.unique(column)) / max(steps, 1)
        if repeated > REPEATED:
            raise UserError(
                f"{repeated:.0%} of the values of {name!r} repeat earlier ones, and the neighbors estimator needs "
                "numbers that do not: leave the column out, or use the plugin or the gaussian estimator"
            )


def information(one: Ints, other: Ints, k: int) -> float:
    """The mutual information of two orders of the same steps, each the numbers from 0 on, in nats; see `Distances`."""
    n = len(one)
    points = np.stack([one, other], axis=1).astype(float)
    radius = cKDTree(points).query(points, k=[k + 1], p=np.inf)[0][:, 0].astype(np.intp)
    psi = digamma(np.arange(1.0, n + 1))
    inner = [psi[np.minimum(at + radius, n) - np.maximum(at - radius, -1) - 2] for at in (one, other)]
    return float(psi[k - 1] + psi[n - 1] - np.mean(inner[0] + inner[1]))


@lru_cache
def chance(steps: int, k: int) -> tuple[float, float]:
    """The mean and the spread of steps times the information of independent columns."""
    source = np.random.default_rng(0)
    found = [steps * information(source.permutation(steps), source.permutation(steps), k) for _ in range(DRAWS)]
    return float(np.mean(found)), float(np.std(found, ddof=1))
