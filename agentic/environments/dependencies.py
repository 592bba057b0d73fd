"""What depends on what in a discrete world: which factors each array looks at, and which controls move them."""

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from agentic.errors import UserError

KEYS = ("A", "B", "B_actions")
Lists = tuple[tuple[int, ...], ...]


class Shaped(Protocol):
    """An array of any library."""

    @property
    def shape(self) -> Sequence[int]:
        """The sizes of its axes."""

    def __len__(self) -> int:
        """The size of its first axis."""


class Dependencies(NamedTuple):
    """The sizes of factors and controls, and per array the indices of those that it depends on, in its axes' order.

    `A[m]` are the factors of modality m, `B[f]` the factors and `B_actions[f]` the controls of factor f.
    """

    factors: tuple[int, ...]
    controls: tuple[int, ...]
    A: Lists
    B: Lists
    B_actions: Lists

    @classmethod
    def read(
        cls,
        A: Sequence[Shaped],
        B: Sequence[Shaped],
        D: Sequence[Shaped],
        given: Mapping[str, Any],
        controls: tuple[int, ...] | None = None,
    ) -> Self:
        """From the lists `given`; without, every modality sees all factors and each factor its own past.

        One control moves them all where nothing else is said. `controls` are their sizes where they are known, and not
        read from `B`. Raises UserError for what fits no array.
        """
        if not A or not D or len(B) != len(D):
            raise UserError(
                f"expected at least one A and one B and D per state factor, got {len(A)} A, {len(B)} B, {len(D)} D"
            )
        unknown = sorted(set(given) - set(KEYS))
        if unknown:
            raise UserError(f"dependencies has the keys {', '.join(KEYS)}, got {unknown[0]!r}")
        factors = tuple(len(d) for d in D)
        whole = tuple(range(len(factors)))
        seen = _lists("A", given.get("A", [whole] * len(A)), len(A), len(factors))
        past = _lists("B", given.get("B", [[f] for f in whole]), len(B), len(factors))
        moved = _lists("B_actions", given.get("B_actions", [[0] for _ in whole]), len(B), None)
        return cls(factors, controls or _controls(B, past, moved), seen, past, moved)

    def shape_of_A(self, modality: int) -> tuple[int, ...]:
        """The axes of a modality's array but for the first."""
        return tuple(self.factors[f] for f in self.A[modality])

    def shape_of_B(self, factor: int) -> tuple[int, ...]:
        """The axes of a factor's array but for the first: its factors, then its controls."""
        past = (self.factors[f] for f in self.B[factor])
        return (*past, *(self.controls[u] for u in self.B_actions[factor]))

    def parents_of_B(self, factor: int) -> tuple[int, ...]:
        """What a factor's array depends on, controls counted on behind the factors."""
        return (*self.B[factor], *(len(self.factors) + u for u in self.B_actions[factor]))

    @property
    def separate(self) -> bool:
        """Whether each factor is moved by its own past alone, and all by one control at most."""
        alone = all(past == (f,) for f, past in enumerate(self.B))
        return alone and len(self.controls) <= 1


def spread(array: NDArray[Any], parents: Sequence[int], sizes: Sequence[int]) -> NDArray[Any]:
    """An array (n, *sizes of `parents`) as one over all of `sizes`, (n, *sizes): a view that repeats, read only."""
    ordered = array.transpose(0, *(1 + i for i in np.argsort(parents)))
    shape = [size if i in parents else 1 for i, size in enumerate(sizes)]
    return np.broadcast_to(ordered.reshape(len(array), *shape), (len(array), *sizes))


def _controls(B: Sequence[Shaped], past: Lists, moved: Lists) -> tuple[int, ...]:
    """The size of every control, from the axes that it moves."""
    sizes: dict[int, int] = {}
    for i, (b, factors, controls) in enumerate(zip(B, past, moved, strict=True)):
        axes = tuple(b.shape[1 + len(factors) :])
        if len(axes) != len(controls):
            wanted = 1 + len(factors) + len(controls)
            raise UserError(f"B[{i}] expects {wanted} axes, got shape {tuple(b.shape)}")
        for control, size in zip(controls, axes, strict=True):
            sizes.setdefault(control, size)
    missing = sorted(set(range(max(sizes, default=0) + 1)) - sizes.keys())
    if missing:
        raise UserError(f"control {missing[0]} moves no factor: number controls from 0 without gaps in B_actions")
    return tuple(sizes[u] for u in sorted(sizes))


def _lists(name: str, lists: Any, count: int, limit: int | None) -> Lists:
    """Lists of different indices, one per array."""
    try:
        read = tuple(tuple(index(i) for i in each) for each in lists)
    except (TypeError, ValueError):
        raise UserError(f"dependencies.{name} expects a list of lists of indices, got {lists!r}") from None
    if len(read) != count:
        raise UserError(f"dependencies.{name} expects {count} lists, one per array, got {len(read)}")
    for i, each in enumerate(read):
        if len(set(each)) < len(each) or any(j < 0 or (limit is not None and j >= limit) for j in each):
            upto = "" if limit is None else f" below {limit}"
            raise UserError(f"dependencies.{name}[{i}] expects different indices{upto}, got {list(each)}")
    return read
