"""How a Gymnasium space lies in one vector: the only place where indices become one-hot blocks and back.

A space is cut into leaves (Box, Discrete, MultiDiscrete, MultiBinary); each has a name, a native array and a slice of
the encoding. With `env.py` this is all that knows Gymnasium.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, prod
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from agentic.engine.domain import Box, Domain, Product, Real, Simplex
from agentic.errors import RunError, UserError

FEW = 16  # rows up to which plain Python is faster than NumPy
Arrays = tuple[np.ndarray, ...]  # one native array per leaf, batch first


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
        """Where each discrete factor's block begins, less its start: value + offset is the place of the one."""
        return np.asarray(self.blocks - self.start)

    @cached_property
    def blocks(self) -> np.ndarray:
        """Where each discrete factor's block begins."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes)

    def part(self, value: Any) -> Any:
        """The leaf's part of a value in the space's own nesting."""
        for key in self.path:
            value = value[key]
        return value

    def fits(self, array: np.ndarray) -> bool:
        """Whether every number is finite and every discrete value within its range."""
        if not self.discrete:
            return self.dtype.kind != "f" or finite(array)
        index = array.reshape(len(array), -1) - self.start
        return bool((index >= 0).all() and (index < self.sizes).all())

    def encode(self, array: np.ndarray, dtype: torch.dtype) -> Tensor:
        """(b, *shape) -> (b, size); shares memory where the native type is the run's."""
        if not self.discrete:
            flat = array if array.ndim == 2 else array.reshape(len(array), self.width)
            out = torch.from_numpy(flat if flat.dtype.kind == "f" else flat.astype(np.float64))
            return out if out.dtype is dtype else out.to(dtype)
        ones = np.zeros((len(array), self.width), np.float32)
        places = array.reshape(len(array), -1) + self.offsets
        ones[np.arange(len(array))[:, None], places] = 1
        return torch.from_numpy(ones).to(dtype)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """(b, size) -> (b, *shape). Raises ValueError for what is not in the space, rounding aside."""
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

    @cached_property
    def _weights(self) -> np.ndarray:
        """(width, factors): what turns one-hot blocks into places by a product."""
        blocks = np.repeat(np.arange(len(self.sizes)), self.sizes)
        weights = np.zeros((self.width, len(self.sizes)), np.float32)
        weights[np.arange(self.width), blocks] = np.arange(self.width)
        return weights

    def _indices(self, values: np.ndarray) -> np.ndarray:
        """(b, factors): the place of the one in each block, where all else is zero."""
        if values.min(initial=0) >= 0 and values.max(initial=0) <= 1:
            places = (values @ self._weights).astype(np.int64)
            found = values.ravel().take(places + np.arange(0, values.size, self.width)[:, None], mode="clip")
            one_each = found.min(initial=1) == 1 and np.count_nonzero(values) == found.size
            if one_each and (places >= self.blocks).all():
                return np.asarray(places - self.offsets)
        raise ValueError("is not one-hot")


@dataclass(frozen=True, eq=False)
class Layout:
    """A whole space: its leaves in order, and the domain of their concatenated encodings."""

    space: spaces.Space[Any]
    leaves: tuple[Leaf, ...]
    domain: Domain

    @cached_property
    def plain(self) -> bool:
        """Whether the space is one leaf, so that its native form is one array and not a mapping."""
        return self.leaves[0].path == ()

    @cached_property
    def width(self) -> int:
        """Number of scalars in the encoding."""
        return self.domain.size

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(leaf.name for leaf in self.leaves)

    @cached_property
    def native(self) -> Callable[[Arrays], Any]:
        """To the form records and metrics see: the array, or a mapping from dotted name to array."""
        return itemgetter(0) if self.plain else lambda arrays: dict(zip(self.names, arrays, strict=True))

    def rooms(self, count: int, batch: int) -> Iterator[Arrays]:
        """`count` empty batches, laid out in one allocation per leaf: a third of the price of single ones."""
        return zip(*(np.zeros((count, batch, *leaf.shape), leaf.dtype) for leaf in self.leaves), strict=True)

    def store(self, arrays: Arrays, row: int, value: Any) -> None:
        """Copy one environment's value into `row`. Raises ValueError where a shape is not the space's."""
        if self.plain and getattr(value, "shape", None) == self.leaves[0].shape:  # the common case, kept short
            arrays[0][row] = value
            return
        for leaf, array in zip(self.leaves, arrays, strict=True):
            part = leaf.part(value)
            if np.shape(part) != leaf.shape:
                raise ValueError(f"has shape {np.shape(part)} where its space has {leaf.shape}")
            array[row] = part

    def batch(self, value: Any, batch: int) -> Arrays:
        """A copy of a vector environment's value. Raises ValueError where a shape is not the space's."""
        arrays = []
        for leaf in self.leaves:
            array = np.array(leaf.part(value), leaf.dtype, order="C")
            if array.shape != (batch, *leaf.shape):
                raise ValueError(f"has shape {array.shape} where its space has {(batch, *leaf.shape)}")
            arrays.append(array)
        return tuple(arrays)

    def fits(self, arrays: Arrays) -> bool:
        """Whether every number is finite and every discrete value within its range."""
        if self.plain:
            return self.leaves[0].fits(arrays[0])
        return all(leaf.fits(array) for leaf, array in zip(self.leaves, arrays, strict=True))

    def misfit(self, arrays: Arrays) -> tuple[int, str]:
        """The first row that does not fit, and why."""
        for row in range(len(arrays[0])):
            for leaf, array in zip(self.leaves, arrays, strict=True):
                if not leaf.fits(array[row : row + 1]):
                    where = f"{leaf.name!r} " if leaf.path else ""
                    return row, f"{where}holds {array[row].tolist()}, which " + (
                        "is outside its space" if leaf.discrete else "is not finite"
                    )
        raise AssertionError("every row fits")

    def encode(self, arrays: Arrays, dtype: torch.dtype) -> Tensor:
        """(b, *event) in the run's dtype."""
        if self.plain:
            return self.leaves[0].encode(arrays[0], dtype)
        return torch.cat([leaf.encode(array, dtype) for leaf, array in zip(self.leaves, arrays, strict=True)], -1)

    def decode(self, z: Tensor, batch: int) -> Arrays:
        """Native arrays of an encoded batch. Raises RunError for a shape or a value the space does not have."""
        if z.shape != (batch, self.width):
            raise RunError(f"the agent's action has shape {tuple(z.shape)}, expected {(batch, *self.domain.event)}")
        try:
            if batch <= FEW and self._single:
                places = [_place(row) for row in z.tolist()]
                return (self._values[places[0] : places[0] + 1] if batch == 1 else self._values.take(places),)
            values = z.detach().cpu().numpy()
            if self.plain:
                return (self.leaves[0].decode(values),)
            pieces = np.split(values, np.cumsum([leaf.width for leaf in self.leaves])[:-1], -1)
            return tuple(leaf.decode(piece) for leaf, piece in zip(self.leaves, pieces, strict=True))
        except ValueError as error:
            raise RunError(f"the agent's action {z.tolist()} {error} of {self.space}".replace("\n", " ")) from None

    @cached_property
    def _single(self) -> bool:
        return self.plain and isinstance(self.space, spaces.Discrete)

    @cached_property
    def _values(self) -> np.ndarray:
        """Every value of a Discrete space; actions are views of it, so nobody may write to it."""
        values = np.asarray(np.arange(self.width) + self.leaves[0].start)
        values.flags.writeable = False
        return values

    def row(self, arrays: Arrays, row: int) -> Any:
        """One environment's value in the space's own nesting."""
        if self._single:
            return arrays[0].item(row)
        return _nest(self.space, iter([array[row, ...] for array in arrays]))

    def whole(self, arrays: Arrays) -> Any:
        """The batch in the space's own nesting, as vector environments take it."""
        return _nest(self.space, iter(arrays))


def layout(space: spaces.Space[Any], what: str) -> Layout:
    """Cut `space` into leaves; `what` names it in errors ("the action space of CartPole-v1").

    Raises UserError for a space this cannot encode (Text, Graph, Sequence, OneOf, ...).
    """
    leaves = tuple(_leaves(space, (), what))
    domains = [leaf.domain for leaf in leaves]
    return Layout(space, leaves, domains[0] if len(domains) == 1 else _joined(domains))


def _leaves(space: spaces.Space[Any], path: tuple[Any, ...], what: str) -> Iterator[Leaf]:
    if isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from _leaves(inner, (*path, key), what)
    elif isinstance(space, spaces.Tuple):
        for index, inner in enumerate(space.spaces):
            yield from _leaves(inner, (*path, index), what)
    elif isinstance(space, spaces.Box):
        yield Leaf(path, _box(space), space.shape, np.dtype(space.dtype), np.empty(0, np.int64))
    elif isinstance(space, spaces.Discrete):
        yield _discrete(path, np.array([space.n]), (), np.array([space.start]))
    elif isinstance(space, spaces.MultiDiscrete):
        yield _discrete(path, space.nvec.ravel(), space.shape, space.start.ravel())
    elif isinstance(space, spaces.MultiBinary):
        count = prod(space.shape)
        yield _discrete(path, np.full(count, 2), space.shape, np.zeros(count), np.dtype(np.int8))
    else:
        raise UserError(
            f"{what} holds {space}, which is not supported: expected Box, Discrete, MultiDiscrete, MultiBinary, "
            "or a Dict or Tuple of them; wrap the environment (gymnasium.wrappers.TransformObservation or "
            "TransformAction)"
        )


def _discrete(
    path: tuple[Any, ...],
    sizes: np.ndarray,
    shape: tuple[int, ...],
    start: np.ndarray,
    dtype: np.dtype[Any] = np.dtype(np.int64),  # noqa: B008
) -> Leaf:
    return Leaf(path, Simplex(tuple(map(int, sizes))), shape, dtype, start.astype(np.int64))


def _box(space: spaces.Box) -> Domain:
    low, high = (torch.from_numpy(bound.astype(np.float64).reshape(-1)) for bound in (space.low, space.high))
    if bool(torch.isinf(low).all() and torch.isinf(high).all()):
        return Real((low.numel(),))
    return Box(low, high)


def _joined(domains: list[Domain]) -> Domain:
    """One domain of one kind where all parts have it, else their product."""
    if not domains:
        raise UserError("a space without a single entry cannot be observed or acted in")
    if all(isinstance(domain, Simplex) for domain in domains):
        return Simplex(tuple(size for domain in domains if isinstance(domain, Simplex) for size in domain.sizes))
    if all(isinstance(domain, Real) for domain in domains):
        return Real((sum(domain.size for domain in domains),))
    return Product(tuple(domains))


def _nest(space: spaces.Space[Any], values: Iterator[Any]) -> Any:
    if isinstance(space, spaces.Dict):
        return {key: _nest(inner, values) for key, inner in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_nest(inner, values) for inner in space.spaces)
    return next(values)


def _place(row: list[float]) -> int:
    """Where the one is. In plain Python: for few rows a third of the time."""
    if row.count(0.0) != len(row) - 1 or 1.0 not in row:
        raise ValueError("is not one-hot")
    return row.index(1.0)


def finite(array: np.ndarray) -> bool:
    """A sum is finite only if all its terms are; it may also overflow, hence the second look."""
    if array.size <= 32 and isfinite(sum(array.ravel().tolist())):
        return True
    return bool(np.isfinite(array).all())
