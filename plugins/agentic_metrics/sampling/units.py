"""Numbers without their units, and what to do about those that repeat: rounded, clipped or mostly zero.

Information does not depend on scale and offset, and not on how a value is written as long as it can be told from the
others. Distances do: where they tie, neighbors are counted wrongly.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from agentic_metrics.cautions import Caution
from agentic_metrics.sampling.series import codes, pairs

Floats = NDArray[np.float64]

ROUNDING = 64 * float(np.finfo(np.float64).eps)  # share of its largest value below which what varies is rounding
OFTEN = 5  # samples of two values together, if independent, from which both are names


def unit(values: Floats) -> Floats:
    """Every column (n, d) times a power of two, so that it lies within [-1, 1]: exact, and squares are finite."""
    return np.asarray(np.ldexp(values, -np.frexp(np.abs(values).max(axis=0, initial=0.0))[1]))


def constant(values: Floats) -> NDArray[np.bool_]:
    """Whether each column (n, d) of `unit` values varies by no more than rounding, (d,)."""
    return np.asarray(values.std(axis=0) <= ROUNDING * np.abs(values).max(axis=0, initial=0.0))


def standard(values: Floats) -> Floats:
    """Every column (n, d) with mean zero and unit variance; one that is `constant` is zero."""
    values = unit(values)
    still, centered = constant(values), values - values.mean(axis=0)
    return np.asarray(np.where(still, 0.0, centered / np.where(still, 1.0, values.std(axis=0))))


def parted(values: NDArray[np.generic], generator: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Numbers (n, d) without ties, up to scale, and the code (n,) of names: what tells the values (n, c), and no more.

    Whole numbers are names. So is a value that is taken often: by sqrt(5 n) samples, two of which meet 5 times where
    they are independent. A rarer one that repeats is spread evenly over half of the way to the values beside it, which
    neither hides it nor tells anything of other variables (as advised by Kraskov, Stoegbauer and Grassberger 2004).
    """
    if values.dtype.kind != "f":
        return np.empty((len(values), 0)), codes(values)
    numbers, name = unit(np.asarray(values, np.float64)), np.zeros(len(values), np.int64)
    kept = []
    for column in numbers[:, ~constant(numbers)].T:
        ordered = np.sort(column)
        if (ordered[1:] > ordered[:-1]).all():
            kept.append(column)
            continue
        distinct, which, times = np.unique(column, return_inverse=True, return_counts=True)
        often = times >= np.sqrt(OFTEN * len(column))
        name = pairs(name, codes(np.where(often, np.arange(1, 1 + len(distinct)), 0)[which][:, None]))
        if not often.all():
            gaps = np.diff(distinct, prepend=-np.inf, append=np.inf)
            reach = np.where((times > 1) & ~often, np.minimum(gaps[:-1], gaps[1:]) / 4, 0.0)[which]
            kept.append(column + reach * generator.uniform(-1, 1, len(column)))
    return np.array(kept).reshape(len(kept), len(values)).T, name


def lost(labeled: Mapping[str, NDArray[np.generic]]) -> Iterator[Caution]:
    """The caution that some values (n, d) vary in their last digits alone, and are counted as constant."""
    for label, values in labeled.items():
        if values.dtype.kind != "f" or not values.size:
            continue
        numbers = unit(np.asarray(values, np.float64))
        if np.ptp(numbers[:, constant(numbers)], axis=0).any():
            yield Caution(
                f"{label} varies only in the last digits of float64, which are rounding, and counts as constant: "
                "record it less its offset"
            )
