"""Couplings of columns in nats: what each column adds to the prediction of each other's next value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic_discovery.columns import scaled

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


@final
@dataclass(frozen=True)
class Moments:
    """Covariances of columns now and in the steps before, and from how many steps.

    `covariance` is that of (x_t, x_{t-1}, ..., x_{t-lag}) with columns in units of their spread, and the square of the
    resolution added to its diagonal, as if every value had been read with an error of that size.
    """

    covariance: Floats
    steps: int
    columns: int
    lag: int

    @classmethod
    def of(cls, values: Floats, episodes: Sequence[int], *, lag: int = 1, resolution: float = 0.01) -> "Moments":
        """Collect the covariances within episodes of (steps, columns) values."""
        values = scaled(values)
        spread = values.std(0)
        units = (values - values.mean(0)) / np.where(spread > 0, spread, 1.0)
        rows = stacked(units, episodes, lag)
        rows -= rows.mean(0)
        covariance = rows.T @ rows / max(len(rows), 1) + resolution**2 * np.eye(rows.shape[1])
        return cls(covariance, len(rows), values.shape[1], lag)

    def candidates(self, target: int, ranks: Ints) -> Ints:
        """The regressors of a target: everything in the steps before, and columns of lower rank at the same step."""
        return candidates(self.columns, self.lag, target, ranks)


def candidates(columns: int, lag: int, target: int, ranks: Ints) -> Ints:
    """The places in (x_t, ..., x_{t-lag}) that may act on a target: the steps before, and lower ranks at the same."""
    now = np.flatnonzero(ranks < ranks[target])
    return np.concatenate([now, np.arange(columns, columns * (lag + 1))])


def stacked(values: Floats, episodes: Sequence[int], lag: int) -> Floats:
    """(x_t, x_{t-1}, ..., x_{t-lag}) for every step with enough past in its episode; (n, columns (lag + 1))."""
    return np.concatenate([_stacked(part, lag) for part in np.split(values, np.cumsum(episodes)[:-1])])


def _stacked(part: Floats, lag: int) -> Floats:
    steps = max(len(part) - lag, 0)
    return np.concatenate([part[lag - back : lag - back + steps] for back in range(lag + 1)], axis=1)


def log_evidence(steps: int, regressors: int, unexplained: Any) -> Any:
    """The log Bayes factor of a linear regression against its mean alone, under Zellner's prior with g = steps.

    (n - 1 - k)/2 log(1 + g) - (n - 1)/2 log(1 + g u), where u is the share of the variance that is not explained
    (Liang et al. 2008, equation 6).
    """
    g = steps
    return (steps - 1 - regressors) / 2 * np.log1p(g) - (steps - 1) / 2 * np.log1p(g * np.asarray(unexplained))


@final
@dataclass(frozen=True)
class Couplings:
    """What each column adds to the prediction of each other: `nats[j, i]` for j's part in the next value of i.

    `kept` are the regressors of each target, as places in the covariance of `Moments`.
    """

    nats: Floats
    kept: tuple[Ints, ...]


def gaussian_couplings(
    moments: Moments, ranks: Ints, *, progress: Callable[[int, int], None] | None = None
) -> Couplings:
    """Couplings in nats by linear regression: entry [j, i] is the evidence that column j adds to the next value of i.

    For each target, regressors are taken away one at a time, that which explains least first; of all the sets on this
    way the one with most evidence stays, each regressor less the logarithm of how many there were to choose from. A
    target's own past always stays. The coupling is what the evidence loses without all regressors of its source.
    """
    found, sets = np.zeros((moments.columns, moments.columns)), []
    for target in range(moments.columns):
        tried = moments.candidates(target, ranks)
        kept = eliminated(moments, target, tried, tried % moments.columns == target)
        found[:, target] = lost(moments, target, kept, kept % moments.columns, target)
        sets.append(kept)
        if progress is not None:
            progress(target + 1, moments.columns)
    return Couplings(found, tuple(sets))


def eliminated(moments: Moments, target: int, candidates: Ints, own: NDArray[np.bool_]) -> Ints:
    """The regressors that stay: the best set on the way from all of them to those that are the target's own."""
    covariance = moments.covariance
    inverse = np.linalg.inv(covariance[np.ix_(candidates, candidates)])
    slopes = inverse @ covariance[candidates, target]
    total = covariance[target, target]
    unexplained = (total - covariance[candidates, target] @ slopes) / total
    active = np.ones(len(candidates), bool)
    penalty = np.log(max(len(candidates) - own.sum(), 1))
    best, chosen = -np.inf, active.copy()
    while True:
        count = int(active.sum())
        score = log_evidence(moments.steps, count, unexplained) - penalty * count
        if score > best:
            best, chosen = score, active.copy()
        if count <= own.sum():
            return candidates[chosen]
        variances = np.where(active, np.diagonal(inverse), 1.0)
        less = np.where(active & ~own, slopes**2 / variances, np.inf)
        place = int(np.argmin(less))
        unexplained = unexplained + less[place] / total
        column = inverse[:, place] / variances[place]
        slopes = slopes - column * slopes[place]
        inverse = inverse - np.outer(column, inverse[place])
        active[place] = False
        slopes[place] = 0.0


def lost(moments: Moments, target: int, kept: Ints, sources: Ints, own: int) -> Floats:
    """What the evidence of a target loses without each source but its own, in nats; `sources` are those of `kept`."""
    nats = np.zeros(moments.columns)
    full = log_evidence(moments.steps, len(kept), unexplained(moments, target, kept))
    for source in set(sources.tolist()) - {own}:
        rest = kept[sources != source]
        nats[source] = full - log_evidence(moments.steps, len(rest), unexplained(moments, target, rest))
    return nats


def unexplained(moments: Moments, target: int, regressors: Ints) -> float:
    """The share of a target's variance that a linear regression on these leaves."""
    covariance = moments.covariance
    if not len(regressors):
        return 1.0
    along = covariance[regressors, target]
    slopes = np.linalg.solve(covariance[np.ix_(regressors, regressors)], along)
    return float(1 - along @ slopes / covariance[target, target])
