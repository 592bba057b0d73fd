"""The encoding of a Gymnasium space in one vector.

A space is cut into leaves (Box, Discrete, MultiDiscrete, MultiBinary); each has a name, a native array and a slice of
the encoding.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from textwrap import shorten
from typing import Any, TypeVar

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from agentic.engine.domain import Box, Domain, Product, Real, Simplex
from agentic.environments.leaf import Leaf, leaf_of
from agentic.errors import RunError, UserError

FEW = 16  # rows up to which plain Python is faster than NumPy
MANY = 2**24  # values of discrete parts, each a number of the encoding
Arrays = tuple[np.ndarray, ...]  # one native array per leaf, batch first
Encoded = TypeVar("Encoded", np.ndarray, Tensor)


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
    def rounds(self) -> bool:
        """Whether `decode` may make whole numbers of others: some leaf is a Box of integers."""
        return any(isinstance(leaf.domain, Box) and leaf.domain.whole for leaf in self.leaves)

    @cached_property
    def native(self) -> Callable[[Arrays], Any]:
        """The function to the form that records and metrics see: one array, or a mapping from dotted name to array."""
        return itemgetter(0) if self.plain else lambda arrays: dict(zip(self.names, arrays, strict=True))

    def empty(self, batch: int) -> Arrays:
        """Native arrays of zeros."""
        return tuple(np.zeros((batch, *leaf.shape), leaf.dtype) for leaf in self.leaves)

    def split(self, encoded: Encoded) -> list[Encoded]:
        """The part of each leaf in encoded values (..., size)."""
        ends = accumulate(leaf.width for leaf in self.leaves)
        return [encoded[..., end - leaf.width : end] for leaf, end in zip(self.leaves, ends, strict=True)]

    def store(self, arrays: Arrays, row: int, value: Any, what: str = "the observation") -> None:
        """Copy one environment's value into `row`. Raises ValueError for another shape and a cast that loses value."""
        if self.plain and type(value) is np.ndarray:  # the common case, kept short
            first = self.leaves[0]
            if value.dtype is first.dtype and value.shape == first.shape:
                arrays[0][row] = value
                return
        try:
            for leaf, array in zip(self.leaves, arrays, strict=True):
                part = leaf.cast(leaf.part(value))
                if part.shape != leaf.shape:
                    raise ValueError(f"has shape {part.shape} where its space has {leaf.shape}")
                array[row] = part
        except ValueError as error:
            raise ValueError(f"{what} {error}") from error

    def batch(self, value: Any, batch: int) -> Arrays:
        """A copy of a vector environment's value. Raises ValueError for another shape and a cast that loses value."""
        arrays = []
        for leaf in self.leaves:
            array = np.array(leaf.cast(leaf.part(value)), order="C")
            if array.shape != (batch, *leaf.shape):
                raise ValueError(f"has shape {array.shape} where its space has {(batch, *leaf.shape)}")
            arrays.append(array)
        return tuple(arrays)

    def fits(self, arrays: Arrays) -> bool:
        """Whether every number is finite and every discrete value within its range."""
        return all(leaf.fits(array) for leaf, array in zip(self.leaves, arrays, strict=True))

    def refused(self, arrays: Arrays) -> tuple[int, str]:
        """The first row that does not fit, and why."""
        pairs = [(row, *pair) for row in range(len(arrays[0])) for pair in zip(self.leaves, arrays, strict=True)]
        row, leaf, array = next(each for each in pairs if not each[1].fits(each[2][each[0] : each[0] + 1]))
        where, why = f"{leaf.name!r} " if leaf.path else "", "outside its space" if leaf.discrete else "not finite"
        return row, f"{where}holds {shortened(array[row])}, which is {why}"

    def encode(self, arrays: Arrays, dtype: torch.dtype) -> Tensor:
        """Native arrays as the agent's tensor (b, *event), in the run's dtype."""
        if self.plain:
            return self.leaves[0].encode(arrays[0], dtype)
        return torch.cat([leaf.encode(array, dtype) for leaf, array in zip(self.leaves, arrays, strict=True)], -1)

    def decode(self, z: Tensor, batch: int) -> Arrays:
        """Native arrays of an encoded batch. Raises RunError for a shape or a value the space does not have.

        In a Box of integers a number between them becomes the nearest.
        """
        if z.shape != (batch, self.width):
            raise RunError(f"the agent's action has shape {tuple(z.shape)}, expected {(batch, *self.domain.event)}")
        try:
            if batch <= FEW and self._single:
                places = [_place(row) for row in z.tolist()]
                return (self._values[places[0] : places[0] + 1] if batch == 1 else self._values.take(places),)
            pieces = self.split(z.detach().cpu().numpy())
            return tuple(leaf.decode(piece) for leaf, piece in zip(self.leaves, pieces, strict=True))
        except ValueError as error:
            for row in range(batch if batch > 1 else 0):
                self.decode(z[row : row + 1], 1)  # raises for the first that is none
            raise RunError(f"the agent's action {z[0].tolist()} {error} of {self.space}".replace("\n", " ")) from None
        except (RuntimeError, TypeError) as error:  # a tensor of another layout, device or kind of number
            kind = f"the agent's action is a tensor of {z.dtype}, layout {z.layout} on the device {z.device}"
            raise RunError(f"{kind}, which cannot be read: return a dense one of floats") from error

    @cached_property
    def _single(self) -> bool:
        return self.plain and isinstance(self.space, spaces.Discrete)

    @cached_property
    def _values(self) -> np.ndarray:
        """Every value of a Discrete space; actions are views of it, so nobody may write to it."""
        values = np.asarray(np.arange(self.domain.size) + self.leaves[0].start)
        values.flags.writeable = False
        return values

    def row(self, arrays: Arrays, row: int) -> Any:
        """A copy of one environment's value in the space's own nesting: whoever gets it may write to it."""
        if self._single:
            return arrays[0].item(row)
        return _nest(self.space, iter([array[row, ...].copy() for array in arrays]))

    def whole(self, arrays: Arrays) -> Any:
        """A copy of the batch in the space's own nesting, as vector environments take it."""
        return _nest(self.space, iter([array.copy() for array in arrays]))


def layout(space: spaces.Space[Any], what: str) -> Layout:
    """Cut `space` into leaves; `what` names it in errors ("the action space of CartPole-v1").

    Raises UserError for a space this cannot encode (Text, Graph, Sequence, OneOf, ...) and for leaves of one name.
    """
    leaves = tuple(_leaves(space, (), what))
    if any(leaf.width == 0 for leaf in leaves):
        raise UserError(f"{what} is empty, or an entry of it is: {space}".replace("\n", " "))
    for leaf in filter(lambda leaf: leaf.discrete, leaves):
        ends = [int(first) + int(size) for first, size in zip(leaf.start, leaf.sizes, strict=True)]
        if max(ends) > 2**63 or leaf.width > MANY:
            said = f"{what} has more than {MANY:,} values to tell apart, or some beyond 64 bits: {space}"
            raise UserError(said.replace("\n", " "))
    names = [leaf.name for leaf in leaves]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"{what} has two entries named {twice[0]!r}: rename a key, records could not tell them apart")
    return Layout(space, leaves, _joined([leaf.domain for leaf in leaves]))


def without_text(space: spaces.Space[Any], path: str = "") -> tuple[spaces.Space[Any], list[str]]:
    """A Dict or Tuple without the texts in it, and their dotted names; a Tuple keeps the numbers of its entries.

    What is text alone stays as it is, which `layout` refuses.
    """
    if not isinstance(space, spaces.Dict | spaces.Tuple):
        return space, []
    entries: dict[Any, spaces.Space[Any]] = dict(space.items() if isinstance(space, spaces.Dict) else enumerate(space))
    texts = {key: names for key, part in entries.items() if (names := _texts(part, f"{path}{key}"))}
    parts = {key: without_text(part, f"{path}{key}.") for key, part in entries.items() if key not in texts}
    left = [name for names in [*texts.values(), *(names for _, names in parts.values())] for name in names]
    if not left or not parts:
        return space, []
    return spaces.Dict({key: part for key, (part, _) in parts.items()}), left


def _texts(space: spaces.Space[Any], name: str) -> list[str]:
    """The dotted names of the texts that a space is made of; empty where it holds anything else."""
    if not isinstance(space, spaces.Dict | spaces.Tuple):
        return [name] if space.dtype is not None and space.dtype.kind == "U" else []
    entries = space.items() if isinstance(space, spaces.Dict) else enumerate(space)
    found = [_texts(part, f"{name}.{key}") for key, part in entries]
    return [each for names in found for each in names] if all(found) else []


def _leaves(space: spaces.Space[Any], path: tuple[Any, ...], what: str) -> Iterator[Leaf]:
    if isinstance(space, spaces.Dict | spaces.Tuple):
        for key, inner in space.items() if isinstance(space, spaces.Dict) else enumerate(space):
            yield from _leaves(inner, (*path, key), what)
    elif leaf := leaf_of(space, path):
        yield leaf
    else:
        raise UserError(
            f"{what} holds {space}, which is not supported: expected Box, Discrete, MultiDiscrete, MultiBinary, "
            "or a Dict or Tuple of them; wrap the environment (gymnasium.wrappers.TransformObservation or "
            "TransformAction)"
        )


def _joined(domains: list[Domain]) -> Domain:
    """One domain of one kind where all parts have it, else their product."""
    if not domains:
        raise UserError("a space without a single entry cannot be observed or acted in")
    if all(isinstance(domain, Simplex) for domain in domains):
        return Simplex(tuple(size for domain in domains if isinstance(domain, Simplex) for size in domain.sizes))
    if all(isinstance(domain, Real) for domain in domains):
        return Real((sum(domain.size for domain in domains),))
    return Product(tuple(domains)) if len(domains) > 1 else domains[0]


def _nest(space: spaces.Space[Any], values: Iterator[Any]) -> Any:
    if isinstance(space, spaces.Dict):
        return {key: _nest(inner, values) for key, inner in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_nest(inner, values) for inner in space.spaces)
    return next(values)


def shortened(values: np.ndarray) -> str:
    """An array on one line of an error."""
    return shorten(str(values.tolist()), 120, placeholder=" ...")


def _place(row: list[float]) -> int:
    """Where the one is. In plain Python: for few rows a third of the time."""
    if row.count(0.0) != len(row) - 1 or 1.0 not in row:
        raise ValueError("is not one-hot")
    return row.index(1.0)
