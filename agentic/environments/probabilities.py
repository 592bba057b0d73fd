"""Probabilities in arrays, checked where they come in."""

import numpy as np
from numpy.typing import ArrayLike

from agentic.errors import UserError


def check_probabilities(name: str, array: ArrayLike, *, axis: int = 0, tolerance: float = 1e-9) -> None:
    """Refuse an array that is not a distribution along `axis` for every index of the others.

    Sums may miss 1 by `tolerance`. Raises UserError, which says `name`.
    """
    table = np.asarray(array, np.float64)
    if not ((table >= 0).all() and (np.abs(table.sum(axis) - 1) <= tolerance).all()):
        raise UserError(f"{name} must be probabilities that sum to 1 along axis {axis % table.ndim}: normalize them")
