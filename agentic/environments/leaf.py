"""One array of a Gymnasium space, and its encoding: the only place where indices become one-hot blocks and back."""

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from operator import le
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from agentic.engine.domain import Box, Domain, Real, Simplex
from agentic.errors import described


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
            least, most = (0, 1) if self.dtype.kind == "b" else _ends(self.dtype)
            bounded = bool((low > least).any() or (high < most).any())
        kind = self.dtype if self.dtype.kind == "f" else np.dtype(np.float64)
        return (low.astype(kind), high.astype(kind)) if bounded else None

    @cached_property
    def _limits(self) -> tuple[list[float], list[float]]:
        low, high = self._bounds or (np.empty(0), np.empty(0))
        return low.tolist(), high.tolist()

    @property
    def bounded(self) -> bool:
        """Whether a number of its type may lie outside its bounds."""
        return self._bounds is not None

    def within(self, array: np.ndarray, slack: float = 0.0) -> bool:
        """Whether no number lies outside a Box's bounds by more than `slack` (1 + |bound|)."""
        if self._bounds is None:
            return True
        if array.size <= 32 and not slack:  # in plain Python: for few numbers a fifth of the time
            (low, high), values, rows = self._limits, array.ravel().tolist(), len(array)
            return all(map(le, low * rows, values)) and all(map(le, values, high * rows))
        least, most = self._bounds
        flat = array.reshape(len(array), -1)
        if slack:
            least, most = least - slack * (1 + np.abs(least)), most + slack * (1 + np.abs(most))
        return not (np.less(flat, least).any() or np.greater(flat, most).any())

    def fits(self, array: np.ndarray) -> bool:
        """Whether every number is finite and every discrete value within its range."""
        if not self.discrete:
            return self.dtype.kind != "f" or finite(array)
        index = array.reshape(len(array), -1) - self.start
        return bool((index >= 0).all() and (index < self.sizes).all())

    def encode(self, array: np.ndarray, dtype: torch.dtype) -> Tensor:
        """The encoding (b, size) of native values (b, *shape), in memory of its own: others may write to it."""
        if not self.discrete:
            flat = array if array.ndim == 2 else array.reshape(len(array), self.width)
            out = torch.from_numpy(flat.copy() if flat.dtype.kind == "f" else flat.astype(np.float64))
            return out if out.dtype is dtype else out.to(dtype)
        ones = np.zeros((len(array), self.width), np.float32)
        places = array.reshape(len(array), -1) + self.offsets
        ones[np.arange(len(array))[:, None], places] = 1
        return torch.from_numpy(ones).to(dtype)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """The native values (b, *shape) of an encoding (b, size). Raises ValueError outside the space."""
        shape = (len(values), *self.shape)
        if isinstance(self.domain, Simplex):
            return self._indices(values).reshape(shape).astype(self.dtype)
        if isinstance(self.domain, Box):
            low, high = self.domain.low.numpy(), self.domain.high.numpy()
            inside = values.clip(low, high)  # undoes the rounding of a cast, nothing more
            if not np.abs(values - inside).max(initial=0) <= 1e-6 * (1 + np.abs(inside).max(initial=0)):
                raise ValueError("lies outside the bounds")
            values = inside
        if not np.isfinite(values).all():
            raise ValueError("is not finite")
        return (values if self.dtype.kind == "f" else np.rint(values)).reshape(shape).astype(self.dtype)

    def _indices(self, values: np.ndarray) -> np.ndarray:
        """(b, factors): the value of each block of which one place is one and all else zero."""
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


def _ends(dtype: np.dtype[Any]) -> tuple[int, int]:
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def finite(array: np.ndarray) -> bool:
    """A sum is finite only if all its terms are; it may also overflow, hence the second look."""
    if array.size <= 32 and isfinite(sum(array.ravel().tolist())):
        return True
    return bool(np.isfinite(array).all())
