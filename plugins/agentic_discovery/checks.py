"""Checks that a recording has what its couplings need: steps shorter than the loop, and nothing important unseen.

Where columns at one step depend on nothing but columns at the step before, and on those that come first within the
step, what regressions leave unexplained is not correlated between columns, and the step before the last adds nothing. A
loop that is faster than the recording, an order within the step that was not given, and columns that were not recorded
leave traces in both.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic_discovery.couplings import Moments

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


FLOOR = 30.0  # squares of the resolution: a column of which less is left is an exact function of others


@final
@dataclass(frozen=True)
class Traces:
    """Evidence in nats that couplings miss something.

    `within[i, j]` is that two columns share something within a step, `before[j, i]` that column j still matters to i
    one step longer ago than the lag.
    """

    within: Floats
    before: Floats


def traces(longer: Moments, how: Ints, resolution: float) -> Traces:
    """The traces in a recording, from covariances of one step more than the lag.

    What is left of each column is what all columns in the lag, and those that come first within the step, do not
    explain. The errors that the resolution stands for are in the variances, but not in the covariances. Columns of
    which next to nothing is left (`FLOOR`) have no traces.
    """
    p, covariance = longer.columns, longer.covariance
    read = covariance - resolution**2 * np.eye(len(covariance))
    old = np.arange(len(covariance) - p, len(covariance))
    within, before = np.zeros((p, p)), np.zeros((p, p))
    for rank in np.unique(how):
        targets = np.flatnonzero(how == rank)
        known = np.concatenate([np.flatnonzero(how < rank), np.arange(p, len(covariance) - p)])
        wanted = np.concatenate([targets, old])
        filters = np.zeros((len(wanted), len(covariance)))
        filters[np.arange(len(wanted)), wanted] = 1.0
        filters[:, known] = -np.linalg.solve(covariance[np.ix_(known, known)], covariance[np.ix_(known, wanted)]).T
        spread = np.sqrt(np.einsum("ik,kl,il->i", filters, covariance, filters, optimize=True))
        correlation = filters @ read @ filters.T / np.outer(spread, spread)
        exact = spread[: len(targets)] ** 2 < FLOOR * resolution**2
        correlation[: len(targets)][exact] = 0.0
        correlation[:, : len(targets)][:, exact] = 0.0
        nats = _nats(correlation[: len(targets)], longer.steps - len(known))
        within[np.ix_(targets, targets)] = nats[:, : len(targets)] - np.log(max(p * (p - 1) / 2, 1))
        before[:, targets] = (nats[:, len(targets) :] - np.log(max(p * p, 1))).T
    np.fill_diagonal(within, 0.0)
    return Traces(np.maximum(within, 0.0), np.maximum(before, 0.0))


def _nats(correlation: Floats, steps: int) -> Floats:
    """The evidence for a correlation, half a logarithm of the steps taken off (Schwarz 1978)."""
    n = max(steps, 1)
    return np.asarray(-n / 2 * np.log1p(-np.clip(correlation**2, 0, 1 - 1e-12)) - np.log(n) / 2)
