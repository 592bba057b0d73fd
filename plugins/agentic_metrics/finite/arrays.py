"""Types of arrays, and of sequences with one for each episode."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Episodes = Sequence[ArrayLike]  # one array per episode
