"""One array of a Gymnasium space, and its encoding: the only place where indices become one-hot blocks and back."""

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from agentic.engine.domain import Box, Domain, Real, Simplex
from agentic.errors import described

FEW = 32  # numbers up to which plain Python is faster than NumPy
TABLE = 512  # values of a discrete factor up to which all its encodings are kept
WIDE = 65536  # numbers up to which bounds are kept for every row


@dataclass(frozen=True)
class Leaf:
    """One array of a space: `path` leads to it, `shape` and `dtype` are its native form, `domain` its encoding.

    `start` holds the lowest value of each discrete factor and is empty for a Box.
    """

    path: tuple[Any, ...]
    domain: Domain
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: np.ndarray

    @property
    def name(self) -> str:
        """The dotted path; empty where the space is this leaf alone."""
        return ".".join(map(str, self.path))

    @cached_property
    def width(self) -> int:
        """Number of scalars in the encoding."""
        return self.domain.size

    @cached_property
    def discrete(self) -> bool:
        return self.start.size > 0

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of values of each discrete factor."""
        return np.array(self.domain.sizes if isinstance(self.domain, Simplex) else (), np.int64)

    @cached_property
    def offsets(self) -> np.ndarray:
        """The first place of each discrete factor's block, less its start: value + offset is the place of the one."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes - self.start)

    @cached_property
    def _corners(self) -> np.ndarray | None:
        """The encodings (size, size) of all values of a single discrete factor, unless they are many."""
        return np.eye(self.width, dtype=np.float32) if len(self.sizes) == 1 and self.width <= TABLE else None

    def part(self, value: Any) -> Any:
        """The value of this leaf within a value in the nesting of the whole space. Raises ValueError if it lacks it."""
        for key in self.path:
            try:
                value = value[key]
            except (LookupError, TypeError):
                of = f" of {self.name!r}" if len(self.path) > 1 else ""
                raise ValueError(f"lacks the key {key!r}{of}, it is a {type(value).__name__}") from None
        return value

    def cast(self, value: Any) -> np.ndarray:
        """An array in the leaf's type; no copy where it has it already. Raises ValueError for a cast that loses value.

        The rounding of floats to a shorter type is no loss, overflow is.
        """
        if np.ma.is_masked(value):
            raise ValueError("is a masked array, some numbers of which are missing")
        try:
            array = np.asarray(value)
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"is no array, {described(error)}") from error
        if array.dtype == self.dtype:
            return array
        if array.dtype.kind not in "biuf":
            raise ValueError(f"is a {type(value).__name__} of type {array.dtype} where its space has {self.dtype}")
        with np.errstate(all="ignore"):
            cast = array.astype(self.dtype)
        lost = np.isfinite(cast) != np.isfinite(array) if self.dtype.kind == "f" else cast != array
        if lost.any():
            raise ValueError(f"holds {array[lost][0]}, which is no value of its type {self.dtype}")
        return cast

    @cached_property
    def _bounds(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The bounds (size,) of a Box in its own type, unless no number of that type lies outside."""
        if not isinstance(self.domain, Box):
            return None
        low, high = self.domain.low.numpy(), self.domain.high.numpy()
        if self.dtype.kind == "f":
            bounded = not (np.isinf(low) & np.isinf(high)).all()
        else:
            least, most = self._ends
            bounded = bool((low > least).any() or (high < most).any())
        kind = self.dtype if self.dtype.kind == "f" else np.dtype(np.float64)
        return (low.astype(kind), high.astype(kind)) if bounded else None

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The least and the greatest float64 that its integer type, or bool, holds."""
        least, most = (0, 1) if self.dtype.kind == "b" else (np.iinfo(self.dtype).min, np.iinfo(self.dtype).max)
        return float(least), float(most) if float(most) <= most else float(np.nextafter(float(most), 0))

    @cached_property
    def _range(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The least and the greatest (1, size) of the numbers that are finite and in the space, where it has bounds."""
        if self.discrete:
            return self.start[None], (self.start + (self.sizes - 1))[None]
        if self._bounds is None:
            return None
        most = np.finfo(self.dtype).max if self.dtype.kind == "f" else np.inf
        low, high = (np.clip(bound, -most, most)[None] for bound in self._bounds)
        return low, high

    @cached_property
    def _limits(self) -> tuple[list[float], list[float]]:
        low, high = self._range or (np.empty(0), np.empty(0))
        return low.ravel().tolist(), high.ravel().tolist()

    @cached_property
    def _tiled(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """The ends for each row of a batch, by its size: comparing arrays of one shape takes a third of the time."""
        return {}

    def sound(self, array: np.ndarray) -> bool:
        """Whether values (b, *shape) fit and lie within the bounds: one look, as what is not finite is in no bounds."""
        if self._range is None:
            return self.fits(array)
        rows = len(array)
        if array.size <= FEW:
            low, high = self._limits
            if rows != 1:
                low, high = low * rows, high * rows
            for least, value, most in zip(low, array.ravel().tolist(), high, strict=True):
                if not least <= value <= most:
                    return False
            return True
        ends = self._tiled.get(rows, self._range)
        if array.size <= WIDE and len(ends[0]) < rows:
            ends = self._tiled[rows] = np.repeat(ends[0], rows, 0), np.repeat(ends[1], rows, 0)
        flat = array.reshape(rows, -1)
        good = ends[0] <= flat
        good &= flat <= ends[1]
        return bool(np.count_nonzero(good) == good.size)

    def within(self, array: np.ndarray, slack: float = 0.0) -> bool:
        """Whether no number lies outside a Box's bounds by more than `slack` (1 + |bound|)."""
        if self._bounds is None:
            return True
        least, most = self._bounds
        flat = array.reshape(len(array), -1)
        if slack:
            least, most = least - slack * (1 + np.abs(least)), most + slack * (1 + np.abs(most))
        return not (np.less(flat, least).any() or np.greater(flat, most).any())

    def fits(self, array: np.ndarray) -> bool:
        """Whether every number is finite and every discrete value within its range."""
        return self.sound(array) if self.discrete else self.dtype.kind != "f" or finite(array)

    def encode(self, array: np.ndarray, dtype: torch.dtype) -> Tensor:
        """The encoding (b, size) of native values (b, *shape), in memory of its own: others may write to it."""
        if not self.discrete:
            flat = array if array.ndim == 2 else array.reshape(len(array), self.width)
            out = torch.from_numpy(flat.copy() if flat.dtype.kind == "f" else flat.astype(np.float64))
            return out if out.dtype is dtype else out.to(dtype)
        if self._corners is not None:
            return torch.from_numpy(self._corners.take(array.reshape(-1) - self.start, 0)).to(dtype)
        ones = np.zeros((len(array), self.width), np.float32)
        places = array.reshape(len(array), -1) + self.offsets
        ones[np.arange(len(array))[:, None], places] = 1
        return torch.from_numpy(ones).to(dtype)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """The native values (b, *shape) of an encoding (b, size). Raises ValueError outside the space.

        In a Box of integers a number between them becomes the nearest: planners search such a box as a continuous one.
        """
        shape = (len(values), *self.shape)
        if isinstance(self.domain, Simplex):
            return self._indices(values).reshape(shape).astype(self.dtype)
        if self._bounds is not None and self.sound(values):
            values = values.clip(*self._bounds)  # a zero takes the sign of its bound
        elif isinstance(self.domain, Box):
            low, high = self.domain.low.numpy(), self.domain.high.numpy()
            inside = values.clip(low, high)  # undoes the rounding of a cast, nothing more
            if not np.abs(values - inside).max(initial=0) <= 1e-6 * (1 + np.abs(inside).max(initial=0)):
                raise ValueError("must be clipped first: it lies outside the bounds")
            values = inside
        if not np.isfinite(values).all():
            raise ValueError("is not finite")
        if self.dtype.kind != "f":
            values = np.rint(values).astype(np.float64).clip(*self._ends)
        return values.reshape(shape).astype(self.dtype)

    def _indices(self, values: np.ndarray) -> np.ndarray:
        """(b, factors): the value of each block of which one place is one and all else zero."""
        if self._corners is not None:
            index = (values == 1).argmax(1)
            if np.count_nonzero(self._corners.take(index, 0) != values):
                raise ValueError("is not one-hot")
            return np.asarray(index + self.start)
        places = np.flatnonzero(values)
        if len(places) == len(values) * len(self.sizes) and (values.ravel()[places] == 1).all():
            index = places.reshape(len(values), -1) - np.arange(0, values.size, self.width)[:, None] - self.offsets
            if self.fits(index):
                return np.asarray(index)
        raise ValueError("is not one-hot")


def leaf_of(space: spaces.Space[Any], path: tuple[Any, ...]) -> Leaf | None:
    """The leaf of a space that is one array; None for any other space."""
    if isinstance(space, spaces.Box):
        low = np.where(space.bounded_below, space.low.astype(np.float64), -np.inf).reshape(-1)
        high = np.where(space.bounded_above, space.high.astype(np.float64), np.inf).reshape(-1)
        box = Box(torch.from_numpy(low), torch.from_numpy(high), whole=space.dtype.kind != "f")
        free = bool(torch.isinf(box.low).all() and torch.isinf(box.high).all()) and not box.whole
        domain = Real(box.event) if free else box
        return Leaf(path, domain, space.shape, np.dtype(space.dtype), np.empty(0, np.int64))
    if isinstance(space, spaces.MultiBinary):
        sizes, start = np.full(space.shape, 2), np.zeros(space.shape)
    elif isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        sizes = np.asarray(space.n if isinstance(space, spaces.Discrete) else space.nvec)
        start = np.asarray(space.start)
    else:
        return None
    dtype = np.dtype(np.int8 if isinstance(space, spaces.MultiBinary) else np.int64)
    return Leaf(path, Simplex(tuple(map(int, sizes.ravel()))), sizes.shape, dtype, start.ravel().astype(np.int64))


def finite(array: np.ndarray) -> bool:
    """A sum is finite only if all its terms are; it may also overflow, hence the second look."""
    if array.size <= FEW and isfinite(sum(array.ravel().tolist())):
        return True
    return bool(np.isfinite(array).all())
