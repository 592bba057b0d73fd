"""Information between names, from counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
from numpy.typing import NDArray

from agentic import UserError
from agentic_metrics.cautions import Caution, few_samples
from agentic_metrics.sampling.information import FIXED, Estimator, Information, Values
from agentic_metrics.sampling.series import codes, pairs

ENOUGH = 5  # samples per degree of freedom, below which the bias correction is not to be believed


@final
@dataclass(frozen=True)
class Plugin(Estimator):
    """The estimator of I(X; Y | Z) between names, with frequencies in place of probabilities.

    The raw estimate exceeds the truth by about freedom / (2 N ln 2) bits, which is removed (Miller 1955; Panzeri and
    Treves 1996); freedom = sum over z of (|X_z| - 1)(|Y_z| - 1), counting what was seen with that z. If X and Y are
    independent given Z, 2 N ln 2 times the raw estimate is chi-square with so many degrees of freedom (Wilks 1938).
    Not for y = x: that is an entropy, of which frequencies miss (k - 1) / (2 N ln 2) bits.
    """

    name = "plugin"

    def information(self, x: Values, y: Values, given: Values | None = None) -> Information:
        for label, values in (("x", x), ("y", y), ("given", given)):
            if values is not None and values.dtype.kind == "f":
                raise UserError(
                    f"the plug-in estimator counts names, and {label} is measured: use the gaussian or the neighbors "
                    "estimator, or bin the values first"
                )
        n = len(x)
        z = codes(given) if given is not None and given.shape[1] else np.zeros(n, np.int64)
        xz, yz = pairs(codes(x), z), pairs(codes(y), z)
        cells, in_z, in_xz, in_yz = (np.bincount(code)[code] for code in (pairs(xz, yz), z, xz, yz))
        local = np.log2(cells * in_z / (in_xz * in_yz))
        freedom = _freedom(z, xz, yz)
        return Information(
            local,
            float(freedom / (2 * n * np.log(2))),
            freedom,
            cautions=tuple(_cautions(n, freedom, in_yz, in_z)),
            expected=partial(_expected, z, xz, yz),
        )


def _freedom(z: NDArray[np.int64], xz: NDArray[np.int64], yz: NDArray[np.int64]) -> int:
    """Sum over z of (distinct x seen with z, less one) times the same of y."""
    distinct = [np.bincount(z[np.unique(code, return_index=True)[1]], minlength=z.max() + 1) for code in (xz, yz)]
    return int(((distinct[0] - 1) * (distinct[1] - 1)).sum())


def _expected(z: NDArray[np.int64], xz: NDArray[np.int64], yz: NDArray[np.int64]) -> float:
    """The count that nine in ten cells (x, y, z) reach if x and y, as often as seen with each z, are independent."""
    cells = []
    for each in range(int(z.max()) + 1):
        x, y = (np.unique(code[z == each], return_counts=True)[1] for code in (xz, yz))
        cells.append(np.outer(x, y).ravel() / x.sum())
    return float(np.quantile(np.concatenate(cells), 0.1))


def _cautions(n: int, freedom: int, in_yz: NDArray[np.int64], in_z: NDArray[np.int64]) -> Iterator[Caution]:
    yield from few_samples(n, ENOUGH * freedom, detail=f"{freedom} degrees of freedom")
    if (in_yz == in_z).all():
        yield FIXED
