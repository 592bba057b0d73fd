"""Factor graphs: an objective of discrete variables as a sum of tables, and what is done with tables.

A table holds costs (*sizes, b) in nats, the batch last, over a few variables. Sums over values are taken of exp(-cost),
in logarithms, so that nothing underflows and what is impossible stays so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import torch
from torch import Tensor

from agentic import Categorical, Clamped, Evidence, Objective, Simplex
from agentic.engine import FactorGraph
from agentic_optimizers.window import Scoped, Window


@final
@dataclass(frozen=True, eq=False)
class Graph:
    """Variables of `sizes`, the `tables` over them, and the number of `rows` b."""

    sizes: tuple[int, ...]
    tables: list[Scoped]
    rows: int

    @cached_property
    def scopes(self) -> tuple[tuple[int, ...], ...]:
        """The variables of every table."""
        return tuple(over for _, over in self.tables)

    @cached_property
    def near(self) -> list[list[int]]:
        """The tables that look at each variable."""
        return [[i for i, over in enumerate(self.scopes) if v in over] for v in range(len(self.sizes))]

    @classmethod
    def of(cls, f: Objective, z: Any) -> "Graph | None":
        """The factor graph of an objective with one discrete variable, or that knows its tables; else None."""
        if not isinstance(f.domain, Simplex):
            return None
        tables = _tables(f)
        if tables is None:
            if len(f.domain.sizes) > 1:
                return None
            tables = [(f.gradient(f.start(z)).T, (0,))]
        sizes, found = f.domain.sizes, {v for _, over in tables for v in over}
        tables = [(costs, over) if over else (costs.expand(sizes[0], -1), (0,)) for costs, over in tables]
        tables += [(tables[0][0].new_zeros(n, 1), (v,)) for v, n in enumerate(sizes) if v not in found]
        rows = [costs.shape[-1] for costs, _ in tables]
        return cls(sizes, tables, max([1 if z is None else len(z), *rows]))

    def belief(self, marginals: Sequence[Tensor]) -> Tensor:
        """Vectors (b, n) of the probabilities (size, b) of every variable."""
        return torch.cat([each.expand(-1, self.rows) for each in marginals]).T


def _tables(f: Objective) -> list[Scoped] | None:
    if isinstance(f, Window):
        return f.potentials()
    if isinstance(f, Evidence) and isinstance(f.prior, Categorical):
        seen = _tables(f.surprise)
        return None if seen is None else seen + [(-q.T.log(), (v,)) for v, q in enumerate(f.prior.blocks)]
    if isinstance(f, Clamped) and isinstance(f.energy, FactorGraph):
        return list(f.energy.potentials(f.x))
    return None


def together(parts: Sequence[Scoped], onto: tuple[int, ...]) -> Tensor:
    """The sum of tables as one over the variables `onto`; axes that none of them looks at have size 1."""
    total, *rest = [_aligned(costs, over, onto) for costs, over in parts]
    for part in rest:
        total = total + part
    return total


def summed(costs: Tensor, over: tuple[int, ...], onto: tuple[int, ...]) -> Tensor:
    """The costs -ln sum exp(-costs) of the variables `onto`, all others summed over; the axes keep their order."""
    gone = [axis for axis, v in enumerate(over) if v not in onto]
    return -torch.logsumexp(-costs, gone) if gone else costs


def _aligned(costs: Tensor, over: tuple[int, ...], onto: tuple[int, ...]) -> Tensor:
    order = sorted(range(len(over)), key=lambda axis: onto.index(over[axis]))
    moved = costs.permute(*order, -1)
    sizes = dict(zip([over[axis] for axis in order], moved.shape, strict=False))
    return moved.reshape(*[sizes.get(v, 1) for v in onto], -1)
