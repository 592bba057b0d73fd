"""Information between numbers that are jointly Gaussian, from their covariances."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import digamma

from agentic import UserError
from agentic_metrics.cautions import Caution, few_samples
from agentic_metrics.sampling.information import FIXED, Estimator, Floats, Information, Values, refuse_names
from agentic_metrics.sampling.units import constant, lost, unit

FLAT = 1e-10  # share of a column's spread below which what is left of it is rounding
ENOUGH = 10  # samples per column, below which covariances are not to be believed


@final
@dataclass(frozen=True)
class GaussianEstimator(Estimator):
    """The estimator of I(X; Y | Z) between jointly Gaussian numbers, from their sample covariances S.

    I = 1/2 log2 (|S_xz| |S_yz| / (|S_z| |S_xyz|)) bits, computed as -1/2 log2 prod (1 - r^2) over the canonical
    correlations r of what linear regression on Z leaves of X and of Y; the contribution of a sample is the log ratio of
    the fitted densities. Twice that, in nats, times N is Granger's log ratio (Barnett, Barrett and Seth 2009). The bias
    removed is that of the log determinants of Wishart matrices (Goodman 1963), exact for independent Gaussian samples;
    degrees of freedom: rank of X times rank of Y.

    Measures linear dependence only. Raises UserError for names, and where Y is a linear function of X and Z.
    """

    name = "gaussian"

    def information(self, x: Values, y: Values, given: Values | None = None) -> Information:
        n = len(x)
        labeled = {"x": x, "y": y, "given": np.empty((n, 0)) if given is None else given}
        parts = [_numbers(label, part) for label, part in labeled.items()]
        columns = sum(part.shape[1] for part in parts)
        if n <= columns + 1:
            raise UserError(f"{n} samples cannot tell {columns} columns apart: record at least {ENOUGH * columns}")
        z = _whitened(parts[2], np.empty((n, 0)))
        left_x, left_y = _whitened(parts[0], z), _whitened(parts[1], z)
        u, correlation, v = np.linalg.svd(left_x.T @ left_y, full_matrices=False)
        if correlation.max(initial=0.0) ** 2 > 1 - FLAT:
            raise UserError(
                "y is a linear function of x and what is conditioned on, so its information is infinite: "
                "add observation noise, or leave out the columns that say the same"
            )
        a, b = np.sqrt(n) * left_x @ u, np.sqrt(n) * left_y @ v.T
        shared = correlation**2
        local = -0.5 * np.log(1 - shared) + (correlation * a * b - shared * (a**2 + b**2) / 2) / (1 - shared)
        ranks = (left_x.shape[1], left_y.shape[1], z.shape[1])
        return Information(
            local.sum(axis=1) / np.log(2),
            float(_bias(n, *ranks) / np.log(2)),
            ranks[0] * ranks[1],
            (*lost(labeled), *_cautions(n, columns, ranks[1])),
        )


def _numbers(label: str, values: Values) -> Floats:
    refuse_names(label, values, "which have no covariance")
    return unit(np.asarray(values, np.float64))


def _whitened(values: Floats, given: Floats) -> Floats:
    """An orthonormal basis (n, rank) of what regression on `given`, orthonormal itself, leaves of centered values."""
    centered = values - values.mean(axis=0)
    spread = np.sqrt((centered**2).sum(axis=0))
    varies = ~constant(values)
    scaled = centered[:, varies] / spread[varies]
    left = scaled - given @ (given.T @ scaled)
    left -= given @ (given.T @ left)
    gram = left.T @ left
    strength, axes = np.linalg.eigh(gram)
    kept = strength > FLAT
    return np.asarray(left @ axes[:, kept] / np.sqrt(strength[kept]))


def _bias(n: int, x: int, y: int, z: int) -> float:
    """Bias in nats; of d columns, E log|S| - log|Sigma| = sum over i = 1 .. d of psi((n - i) / 2) + log(2 / n)."""
    halves = digamma((n - np.arange(1, x + y + z + 1)) / 2)
    return 0.5 * float(halves[: x + z].sum() + halves[: y + z].sum() - halves[:z].sum() - halves.sum())


def _cautions(n: int, columns: int, rank: int) -> Iterator[Caution]:
    yield from few_samples(n, ENOUGH * columns, detail=f"{columns} columns")
    if not rank:
        yield FIXED
