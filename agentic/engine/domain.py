"""Domains: the sets in which latents, observations and actions take their values.

A domain knows its event shape, its center, how to project onto itself and, where it is finite, its corners.
Discrete quantities are float vectors on a simplex, one-hot when certain; several of them are blocks of one vector.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, prod
from typing import final

import torch
from torch import Tensor

from agentic.engine.draws import checked_generator
from agentic.errors import UserError, shown

ABSURD = 1e30  # a bound this far out is none: environments write the greatest number of their type


class Domain(ABC):
    """The set a batch of events `(*sample, batch, *event)` ranges over."""

    @property
    @abstractmethod
    def event(self) -> tuple[int, ...]:
        """Shape of one event."""

    @abstractmethod
    def project(self, z: Tensor) -> Tensor:
        """The projection of `z` (*s, b, *event) onto the domain: the nearest point of a box, a corner of a simplex."""

    @abstractmethod
    def center(self, batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """The uninformed start (b, *event): zero, the middle of a box, the uniform distribution."""

    @abstractmethod
    def draw(self, batch: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> Tensor:
        """Independent uniform events (b, *event); where a side is unbounded, as Gymnasium's `Box.sample` does."""

    @property
    def size(self) -> int:
        """Number of scalars in one event."""
        return prod(self.event)


@final
@dataclass(frozen=True)
class Real(Domain):
    """All real tensors of one event shape."""

    shape: tuple[int, ...]

    @property
    def event(self) -> tuple[int, ...]:
        return self.shape

    def project(self, z: Tensor) -> Tensor:
        return z

    def center(self, batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
        return torch.zeros(batch, *self.shape, dtype=dtype)

    def draw(self, batch: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> Tensor:
        """Independent standard normal events (b, *event)."""
        return torch.randn(batch, *self.shape, generator=checked_generator(generator), dtype=dtype)


@final
@dataclass(frozen=True, eq=False)
class Box(Domain):
    """Tensors between `low` and `high` (each `(*event)`, infinities allowed), in the environment's own units.

    A bound of 1e30 or more, such as the 3.4e38 that environments write for none, is none: it becomes infinite. Where
    `whole` is true, draws are whole numbers; all else takes the box as continuous, and what lies between whole numbers
    is rounded where it is executed.
    """

    low: Tensor
    high: Tensor
    whole: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", torch.where(self.low <= -ABSURD, -inf, self.low))
        object.__setattr__(self, "high", torch.where(self.high >= ABSURD, inf, self.high))
        if self.low.shape != self.high.shape or bool((self.low > self.high).any()):
            raise UserError(f"Box expects low <= high of one shape, got {self.low.tolist()} and {self.high.tolist()}")

    @property
    def event(self) -> tuple[int, ...]:
        return tuple(self.low.shape)

    def project(self, z: Tensor) -> Tensor:
        return z.clamp(self.low.to(z), self.high.to(z))

    def center(self, batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
        bounded = torch.isfinite(self.low) & torch.isfinite(self.high)
        middle = torch.where(bounded, (self.low + self.high) / 2, torch.zeros_like(self.low))
        return self.project(middle.to(dtype)).expand(batch, *self.event).clone()

    def draw(self, batch: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> Tensor:
        """Independent events (b, *event): uniform within bounds, exponential from a single one, normal without.

        Whole numbers are draws up to `high` + 1, rounded down. That is the law of Gymnasium's `Box.sample`.
        """
        low, high = self.low.to(dtype), self.high.to(dtype)
        if self.whole:
            drawn = Box(low, high + 1).draw(batch, generator=generator, dtype=dtype)
            return self.project(drawn.floor())
        below, above = torch.isfinite(low), torch.isfinite(high)
        uniform = torch.rand(batch, *self.event, generator=checked_generator(generator), dtype=dtype)
        if bool((below & above).all()):
            return self.project(low + uniform * (high - low))
        normal = torch.randn(batch, *self.event, generator=generator, dtype=dtype)
        exponential = -torch.log1p(-uniform)
        one_sided = torch.where(below, low + exponential, torch.where(above, high - exponential, normal))
        return self.project(torch.where(below & above, low + uniform * (high - low), one_sided))


@final
@dataclass(frozen=True)
class Simplex(Domain):
    """Probability vectors of one or several categorical factors, as consecutive blocks of one vector.

    `Simplex((5, 3))` is a vector of 8 numbers whose first 5 and last 3 each sum to one.
    """

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 1:
            raise UserError(f"Simplex expects one positive size per factor, got {self.sizes}")

    @property
    def event(self) -> tuple[int, ...]:
        return (sum(self.sizes),)

    def project(self, z: Tensor) -> Tensor:
        """The one-hot corner of the largest entry of every block; the lowest index wins a tie."""
        blocks = self.blocks(z)
        return torch.cat(
            [torch.zeros_like(each).scatter_(-1, each.argmax(-1, keepdim=True), 1.0) for each in blocks], -1
        )

    def center(self, batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
        blocks = [torch.full((batch, n), 1 / n, dtype=dtype) for n in self.sizes]
        return torch.cat(blocks, -1)

    def draw(self, batch: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> Tensor:
        """Independent corners (b, event), every value of a factor equally likely."""
        columns = [torch.randint(n, (batch,), generator=checked_generator(generator)) for n in self.sizes]
        return self.one_hot(torch.stack(columns, -1), dtype)

    def blocks(self, z: Tensor) -> tuple[Tensor, ...]:
        """The factors' vectors, each (*s, b, n)."""
        return torch.split(z, list(self.sizes), -1) if len(self.sizes) > 1 else (z,)

    def joint(self, z: Tensor) -> Tensor:
        """The probabilities of every joint value of independent factors, (*s, b, count), the last factor fastest."""
        return outer(self.blocks(z))

    @property
    def count(self) -> int:
        """Number of corners: the number of joint values."""
        return prod(self.sizes)

    def corners(self, dtype: torch.dtype = torch.float64) -> Tensor:
        """Every joint value as one-hot blocks (count, event), the last factor fastest."""
        eyes = [torch.eye(n, dtype=dtype) for n in self.sizes]
        return torch.stack([torch.cat(rows) for rows in product(*eyes)])

    def indices(self, z: Tensor) -> Tensor:
        """Each factor's most likely value, (*s, b, factors) int64; the lowest index wins a tie."""
        return torch.stack([block.argmax(-1) for block in self.blocks(z)], -1)

    def one_hot(self, indices: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
        """One-hot blocks (*s, b, event) of whole numbers (*s, b, factors). Raises UserError for others."""
        shape = indices.shape[:-1]
        try:
            columns = zip(indices.long().unbind(-1), self.sizes, strict=True)
            blocks = [torch.eye(n, dtype=dtype).index_select(0, i.flatten()).view(*shape, n) for i, n in columns]
        except (IndexError, ValueError):
            counts = " and ".join(f"0 to {n - 1}" for n in self.sizes)
            raise UserError(f"values (*s, b, factors) of {self} are {counts}, got {shown(indices.tolist())}") from None
        return blocks[0] if len(blocks) == 1 else torch.cat(blocks, -1)


@final
@dataclass(frozen=True)
class Product(Domain):
    """Several domains side by side in one vector: discrete and continuous parts together."""

    parts: tuple[Domain, ...]

    @property
    def event(self) -> tuple[int, ...]:
        return (sum(part.size for part in self.parts),)

    def project(self, z: Tensor) -> Tensor:
        pieces = torch.split(z, [part.size for part in self.parts], -1)
        return torch.cat([part.project(piece) for part, piece in zip(self.parts, pieces, strict=True)], -1)

    def center(self, batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
        return torch.cat([part.center(batch, dtype) for part in self.parts], -1)

    def draw(self, batch: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> Tensor:
        return torch.cat([part.draw(batch, generator=generator, dtype=dtype) for part in self.parts], -1)


@final
@dataclass(frozen=True)
class Repeated(Domain):
    """`times` events of one base domain in a row: the domain of open-loop plans, event (times, *base)."""

    base: Domain
    times: int

    @property
    def event(self) -> tuple[int, ...]:
        return (self.times, *self.base.event)

    def project(self, z: Tensor) -> Tensor:
        return self.base.project(z)

    def center(self, batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
        one = self.base.center(batch, dtype)
        return one.unsqueeze(1).expand(batch, *self.event).clone()

    def draw(self, batch: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> Tensor:
        flat = self.base.draw(batch * self.times, generator=generator, dtype=dtype)
        return flat.view(batch, *self.event)


def outer(blocks: Sequence[Tensor]) -> Tensor:
    """The probabilities of every joint value of independent blocks (*s, b, n_i), (*s, b, count), the last fastest."""
    first, *rest = blocks
    for block in rest:
        first = (first.unsqueeze(-1) * block.unsqueeze(-2)).flatten(-2)
    return first
