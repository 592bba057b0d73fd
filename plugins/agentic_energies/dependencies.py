"""What depends on what in a discrete model: which factors each table looks at, and which controls move them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from agentic import UserError
from agentic_energies.arrays import check_columns, check_shape
from agentic_energies.cpt import Cpt, joint, tabled

KEYS = ("A", "B", "B_actions")


class Dependencies(NamedTuple):
    """The sizes of factors and controls, and per table the indices of those that it depends on, in its axes' order.

    `A[m]` are the factors of modality m, `B[f]` the factors and `B_actions[f]` the controls of factor f.
    """

    factors: tuple[int, ...]
    controls: tuple[int, ...]
    A: tuple[tuple[int, ...], ...]
    B: tuple[tuple[int, ...], ...]
    B_actions: tuple[tuple[int, ...], ...]

    @classmethod
    def read(cls, A: list[Tensor], B: list[Tensor], D: list[Tensor], given: Mapping[str, Any]) -> Self:
        """From the lists `given`; without, every modality sees all factors and each factor its own past.

        One control moves them all where nothing else is said. Raises UserError for what fits no array.
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
        return cls(factors, _controls(B, past, moved), seen, past, moved)

    def check(self, A: list[Tensor], B: list[Tensor], D: list[Tensor]) -> None:
        """Check shapes and columns. Raises UserError naming array, axis, index and sum."""
        for i, (a, parents) in enumerate(zip(A, self.A, strict=True)):
            sizes = tuple(self.factors[f] for f in parents)
            plain = parents == tuple(range(len(self.factors)))
            names = "*state factors" if plain else f"*state factors {', '.join(map(str, parents))}"
            check_shape(f"A[{i}]", a, (-1, *sizes), f"(outcomes, {names})")
            check_columns(f"A[{i}]", a)
        for i, (b, d) in enumerate(zip(B, D, strict=True)):
            sizes = (*(self.factors[f] for f in self.B[i]), *(self.controls[u] for u in self.B_actions[i]))
            plain = self.B[i] == (i,) and self.B_actions[i] == (0,)
            names = "previous, actions" if plain else f"*factors {list(self.B[i])}, *controls {list(self.B_actions[i])}"
            check_shape(f"B[{i}]", b, (len(d), *sizes), f"(next, {names})")
            check_columns(f"B[{i}]", b)
            check_columns(f"D[{i}]", d)

    def likelihoods(self, A: Sequence[Tensor], floor: float) -> list[Cpt]:
        """The modalities' tables over the joint state."""
        return [self._spread(a, parents, self.factors, floor) for a, parents in zip(A, self.A, strict=True)]

    def transition(self, B: Sequence[Tensor], floor: float) -> Cpt:
        """The table of the next joint state over (joint state, joint action)."""
        sizes, shift = (*self.factors, *self.controls), len(self.factors)
        tables = []
        for b, past, moved in zip(B, self.B, self.B_actions, strict=True):
            tables.append(self._spread(b, (*past, *(shift + u for u in moved)), sizes, floor))
        return joint(tables, floor)

    def _spread(self, array: Tensor, parents: tuple[int, ...], sizes: tuple[int, ...], floor: float) -> Cpt:
        """The table over all joint values of variables of `sizes`, the last fastest."""
        own = tabled(array.reshape(len(array), -1), floor)
        if parents == tuple(range(len(sizes))):
            return own
        index = torch.zeros((1,) * len(sizes), dtype=torch.int64)
        for parent in parents:
            values = torch.arange(sizes[parent])
            index = index * sizes[parent] + values.view(*[-1 if i == parent else 1 for i in range(len(sizes))])
        return own.spread(index.expand(sizes).reshape(-1))


def _controls(B: list[Tensor], past: Iterable[tuple[int, ...]], moved: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
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


def _lists(name: str, lists: Any, count: int, limit: int | None) -> tuple[tuple[int, ...], ...]:
    """Lists of different indices, one per array."""
    try:
        read = tuple(tuple(int(i) for i in each) for each in lists)
    except (TypeError, ValueError):
        raise UserError(f"dependencies.{name} expects a list of lists of indices, got {lists!r}") from None
    if len(read) != count:
        raise UserError(f"dependencies.{name} expects {count} lists, one per array, got {len(read)}")
    for i, each in enumerate(read):
        if len(set(each)) < len(each) or any(j < 0 or (limit is not None and j >= limit) for j in each):
            upto = "" if limit is None else f" below {limit}"
            raise UserError(f"dependencies.{name}[{i}] expects different indices{upto}, got {list(each)}")
    return read
