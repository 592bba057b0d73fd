"""Checks that a recording has what its couplings need: steps shorter than the loop, and nothing important unseen.

Where columns at one step depend on nothing but columns at the step before, and on those that come first within the step,
what regressions leave unexplained is not correlated between columns, and the step before the last adds nothing. A loop
that is faster than the recording, an order within the step that was not given, and columns that were not recorded leave
traces in both.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic_discovery.couplings import Couplings, Moments, log_evidence

Floats = NDArray[np.floating[Any]]


@final
@dataclass(frozen=True)
class Traces:
    """Evidence in nats that couplings miss something.

    `within[i, j]` is that two columns share something within a step, `before[j, i]` that column j still matters to i one
    step longer ago than the lag.
    """

    within: Floats
    before: Floats


def within(moments: Moments, found: Couplings, resolution: float) -> Floats:
    """The evidence that what is left of two columns is correlated, less the logarithm of how many pairs there are.

    The errors that the resolution stands for are in the variances, but not in the covariances.
    """
    p, covariance = moments.columns, moments.covariance
    filters = np.zeros((p, len(covariance)))
    for target, kept in enumerate(found.kept):
        along = covariance[kept, target]
        filters[target, kept] = -np.linalg.solve(covariance[np.ix_(kept, kept)], along) if len(kept) else 0.0
        filters[target, target] = 1.0
    read = covariance - resolution**2 * np.eye(len(covariance))
    variances = np.einsum("ik,kl,il->i", filters, covariance, filters, optimize=True)
    correlation = filters @ read @ filters.T / np.sqrt(np.outer(variances, variances))
    n = moments.steps
    nats = -n / 2 * np.log1p(-np.clip(correlation**2, 0, 1 - 1e-12)) - np.log(max(n, 1)) / 2
    nats -= np.log(max(p * (p - 1) / 2, 1))
    np.fill_diagonal(nats, 0.0)
    return np.maximum(nats, 0.0)


def before(longer: Moments, found: Couplings) -> Floats:
    """The evidence that a column of one step longer ago adds to a target's regressors, less the log of how many pairs."""
    p, covariance = longer.columns, longer.covariance
    old = np.arange(len(covariance) - p, len(covariance))
    nats = np.zeros((p, p))
    for target, kept in enumerate(found.kept):
        solved = np.linalg.solve(covariance[np.ix_(kept, kept)], covariance[np.ix_(kept, [target, *old])])
        left = covariance[target, target] - covariance[kept, target] @ solved[:, 0]
        along = covariance[old, target] - covariance[np.ix_(old, kept)] @ solved[:, 0]
        spread = covariance[old, old] - np.einsum("ok,ko->o", covariance[np.ix_(old, kept)], solved[:, 1:])
        total, count = covariance[target, target], len(kept)
        base = log_evidence(longer.steps, count, left / total)
        more = log_evidence(longer.steps, count + 1, np.maximum(left - along**2 / spread, 1e-300) / total)
        nats[:, target] = more - base - np.log(max(p * p, 1))
    return np.maximum(nats, 0.0)
