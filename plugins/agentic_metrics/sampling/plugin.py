"""Information between names, from counts."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from agentic import UserError
from agentic_metrics.sampling.information import Estimator, Information, Values

ENOUGH = 5  # samples per degree of freedom, below which the bias correction is not to be believed


@final
@dataclass(frozen=True)
class Plugin(Estimator):
    """I(X; Y | Z) with frequencies in place of probabilities, for discrete values only.

    The raw estimate exceeds the truth by about freedom / (2 N ln 2) bits, which is removed (Miller 1955; Panzeri and
    Treves 1996); freedom = sum over z of (|X_z| - 1)(|Y_z| - 1), counting what was seen with that z. If X and Y are
    independent given Z, 2 N ln 2 times the raw estimate is chi-square with so many degrees of freedom (Wilks 1938).
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
        z = _codes(given) if given is not None and given.shape[1] else np.zeros(n, np.int64)
        xz, yz = _pairs(_codes(x), z), _pairs(_codes(y), z)
        cells, in_z, in_xz, in_yz = (np.bincount(codes)[codes] for codes in (_pairs(xz, yz), z, xz, yz))
        local = np.log2(cells * in_z / (in_xz * in_yz))
        freedom = _freedom(z, xz, yz)
        return Information(local, freedom / (2 * n * np.log(2)), freedom, tuple(_warnings(n, freedom, in_yz, in_z)))


def _codes(values: Values) -> NDArray[np.int64]:
    """Each distinct row (n, d) as a number from 0, (n,)."""
    code = np.zeros(len(values), np.int64)
    for column in values.T:
        code = _pairs(code, np.unique(column, return_inverse=True)[1])
    return code


def _pairs(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each distinct pair as a number from 0."""
    joint = a * (int(b.max(initial=0)) + 1) + b
    return np.asarray(np.unique(joint, return_inverse=True)[1], np.int64)


def _freedom(z: NDArray[np.int64], xz: NDArray[np.int64], yz: NDArray[np.int64]) -> int:
    """Sum over z of (distinct x seen with z, less one) times the same of y."""
    distinct = [np.bincount(z[np.unique(codes, return_index=True)[1]], minlength=z.max() + 1) for codes in (xz, yz)]
    return int(((distinct[0] - 1) * (distinct[1] - 1)).sum())


def _warnings(n: int, freedom: int, in_yz: NDArray[np.int64], in_z: NDArray[np.int64]) -> list[str]:
    found = []
    if n < ENOUGH * freedom:
        found.append(f"{n} samples are too few for {freedom} degrees of freedom: record at least {ENOUGH * freedom}")
    if (in_yz == in_z).all():
        found.append(
            "y never varies given what is conditioned on, so its conditional information is zero whatever x does: "
            "vary the start states or add observation noise"
        )
    return found
