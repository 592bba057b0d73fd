"""Moments that are alike: among them a variable is exchanged to see what it tells beyond what they share."""

import numpy as np
from numpy.typing import NDArray

from agentic_metrics.sampling.information import Floats, Values
from agentic_metrics.sampling.series import codes
from agentic_metrics.sampling.units import standard

ALIKE = 8  # samples at most in a group of moments that are similar, not equal


def alike(values: Values) -> NDArray[np.int64]:
    """The group of each row of `values` (n, d), (n,): equal rows of names, and of numbers where most rows repeat.

    Of numbers that hardly repeat, at most `ALIKE` neighboring points, halved along their widest side until so few.
    """
    code = codes(values)
    if values.dtype.kind != "f" or code.max(initial=0) < len(values) // ALIKE:
        return code
    return _neighboring(standard(np.asarray(values, np.float64)))


def _neighboring(scaled: Floats) -> NDArray[np.int64]:
    group, waiting, found = np.zeros(len(scaled), np.int64), [np.arange(len(scaled))], 0
    while waiting:
        rows = waiting.pop()
        if len(rows) <= ALIKE:
            group[rows] = found
            found += 1
            continue
        axis = int(np.ptp(scaled[rows], axis=0).argmax())
        ordered = rows[np.argsort(scaled[rows, axis], kind="stable")]
        waiting += [ordered[: len(rows) // 2], ordered[len(rows) // 2 :]]
    return group
