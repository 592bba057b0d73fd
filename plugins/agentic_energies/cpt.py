"""Conditional probability tables p(child | column): dense, or as lists of what each column can become.

Both answer the same questions, states first: `(columns, b)` in, `(size, b)` out. Matrix products do the work: a table
that is mostly zero becomes a sparse matrix, so that a product costs what is not zero.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import log, prod
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn

from agentic import UserError
from agentic_energies.arrays import surprise
from agentic_energies.made import Made

DENSE = 64  # tables with fewer columns stay dense: their products are faster than any list
FULL = 0.2  # fuller tables stay dense
SPARE = 0.02  # fuller matrices stay one array: beside a dense product, a sparse one is slow for each number
LIMIT = 50_000_000  # entries of the lists of a joint state


@final
class Raised(NamedTuple):
    """A matrix whose rows have the same number nearly everywhere: that `base` (m, 1), and the sparse `rest`."""

    base: Tensor
    rest: Tensor

    def __matmul__(self, weights: Tensor) -> Tensor:
        return torch.addmm(self.base * weights.sum(0), self.rest, weights)


class Cpt(nn.Module, ABC):
    """A conditional probability table over `size` values of a child, one column per joint value of its parents.

    Costs are -log p in nats; zeros cost as `floor` does, and `floor=0` makes them infinite, never NaN. Raises UserError
    for a floor that is no probability below 1.
    """

    def __init__(self, size: int, columns: int, floor: float) -> None:
        super().__init__()
        if not isinstance(floor, int | float) or not 0 <= floor < 1:
            raise UserError(f"floor expects a probability from 0, which forbids, to less than 1, got {floor!r}")
        self.size, self.columns, self.floor = size, columns, floor
        self._made: dict[str, Made] = {}

    @property
    def dtype(self) -> torch.dtype:
        """The type of its numbers."""
        return next(buffer.dtype for buffer in self.buffers() if buffer.is_floating_point())

    @property
    @abstractmethod
    def table(self) -> Tensor:
        """The probabilities, (size, columns)."""

    @abstractmethod
    def costs(self, child: Tensor) -> Tensor:
        """The expected cost of every column, (columns, b), where the child has probabilities (size, b)."""

    def every_cost(self) -> Tensor:
        """The cost of each value of the child in every column, (columns, size)."""
        return self.costs(torch.eye(self.size, dtype=self.dtype, device=next(self.buffers()).device))

    @abstractmethod
    def mean(self, values: Tensor) -> Tensor:
        """What each column expects of `values` (size,) of the child: (columns,)."""

    @abstractmethod
    def entropy(self) -> Tensor:
        """The entropy of every column in nats, (columns,)."""

    @abstractmethod
    def spread(self, index: Tensor) -> "Cpt":
        """The same table over more columns: column i of it is column `index[i]` of this one."""

    @abstractmethod
    def matrix(self, kept: int) -> Tensor:
        """The matrix (size * kept, columns / kept) behind `push`."""

    def noise(self, weights: Tensor) -> Tensor:
        """The expected entropy (b,) where the columns have `weights` (columns, b)."""
        return self.entropy() @ weights

    def push(self, weights: Tensor, kept: int = 1) -> Tensor:
        """The child's probabilities (size * kept, b) where the columns have `weights` (columns / kept, b).

        Columns are read as (columns / kept, kept): what is kept, the fastest part, is not summed over.
        """
        product: Tensor = self._once(f"kept {kept}", lambda: operator(self.matrix(kept))) @ weights
        return product

    def _once(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, made anew only after the table has changed."""
        if torch.compiler.is_compiling():  # which traces what is done with tensors, not whether it was done before
            return make()
        tensors = [buffer for buffer in self._buffers.values() if buffer is not None]
        held = self._made.get(key)
        if held is None or not held.stands(tensors):
            held = self._made[key] = Made.of(tensors, make())
        return held.what

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}  # made again when asked for


@final
class Dense(Cpt):
    """A table as an array (size, columns)."""

    values: Tensor

    def __init__(self, table: Tensor, floor: float) -> None:
        super().__init__(len(table), table.shape[1], floor)
        self.register_buffer("values", table.clone())  # nn.Buffer would cut gradients of what was learned

    @property
    def table(self) -> Tensor:
        return self.values

    def matrix(self, kept: int) -> Tensor:
        if kept == 1:
            return self.values
        split = self.values.view(self.size, -1, kept)
        return split.transpose(1, 2).reshape(self.size * kept, -1)

    def costs(self, child: Tensor) -> Tensor:
        energy = self.cost_rows() @ child
        if self.floor > 0:
            return energy
        forbidden = self._once("forbidden", lambda: (self.values == 0).to(self.values.dtype)).T @ child
        return torch.where(forbidden > 0, torch.inf, energy)

    def cost_rows(self) -> Tensor:
        """The costs of every column, (columns, size); those of zeros are 0 without a floor."""
        rows: Tensor = self._once("costs", self._costs)
        return rows

    def _costs(self) -> Tensor:
        clamped = self.values.clamp(min=self.floor)
        return -torch.where(clamped == 0, 1.0, clamped).log().T.contiguous()

    def mean(self, values: Tensor) -> Tensor:
        return values @ self.values

    def entropy(self) -> Tensor:
        return surprise(self.values).sum(0)

    def spread(self, index: Tensor) -> "Dense":
        return Dense(self.values[:, index], self.floor)


@final
class Listed(Cpt):
    """A table as lists: the values `reached` (columns, k) of the child and their probabilities `chances` (columns, k).

    Lists shorter than k are padded with probability zero; a value stands at most once in a list with more than zero.
    """

    reached: Tensor
    chances: Tensor

    def __init__(self, reached: Tensor, chances: Tensor, size: int, floor: float) -> None:
        super().__init__(size, len(reached), floor)
        self.register_buffer("reached", reached.clone())
        self.register_buffer("chances", chances.clone())  # nn.Buffer would cut its gradients

    @property
    def table(self) -> Tensor:
        empty = self.chances.new_zeros(self.size, self.columns)
        return empty.scatter_add(0, self.reached.T, self.chances.T)

    def matrix(self, kept: int) -> Tensor:
        column = torch.arange(self.columns).unsqueeze(-1).expand_as(self.reached)
        row = self.reached * kept + column % kept
        return sparse(row, column // kept, self.chances, (self.size * kept, self.columns // kept))

    def costs(self, child: Tensor) -> Tensor:
        listed = self._once("listed", lambda: self._by_column((self.chances > 0).to(self.chances.dtype))) @ child
        energy: Tensor = (
            self._once("costs", lambda: self._by_column(-self.chances.clamp(min=self._least).log())) @ child
        )
        missed: Tensor = child.sum(0) - listed
        if self.floor > 0:
            return energy - log(self.floor) * missed.clamp(min=0)
        return torch.where(missed > 1e-12, torch.inf, energy)

    @property
    def _least(self) -> float:
        return self.floor or torch.finfo(self.chances.dtype).tiny

    def _by_column(self, values: Tensor) -> Tensor:
        column = torch.arange(self.columns).unsqueeze(-1).expand_as(self.reached)
        there = torch.where(self.chances > 0, values, 0.0)
        return sparse(column, self.reached, there, (self.columns, self.size))

    def mean(self, values: Tensor) -> Tensor:
        return (self.chances * values[self.reached]).sum(-1)

    def entropy(self) -> Tensor:
        return surprise(self.chances).sum(-1)

    def spread(self, index: Tensor) -> "Listed":
        return Listed(self.reached[index], self.chances[index], self.size, self.floor)


def tabled(table: Tensor, floor: float) -> Cpt:
    """The table (size, columns) in the form that suits it: lists where it is large and mostly zero."""
    filled = table != 0
    if table.shape[1] < DENSE or float(filled.double().mean()) > FULL:
        return Dense(table, floor)
    return Listed(*lists(Dense(table, floor)), len(table), floor)


def operator(matrix: Tensor) -> Tensor | Raised:
    """The matrix in the form whose products are fast: `Raised` where it is large and mostly the same along its rows."""
    if matrix.layout != torch.strided or matrix.numel() < DENSE**2 or torch.compiler.is_compiling():
        return matrix
    base = matrix.amin(1, keepdim=True)
    rest = matrix - base
    row, column = rest.nonzero(as_tuple=True)
    if len(row) > SPARE * rest.numel():
        return matrix
    return Raised(base, sparse(row, column, rest[row, column], (len(rest), rest.shape[1])))


def sparse(row: Tensor, column: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """The matrix with `values` at `row` and `column`, in compressed rows; values at one place are added."""
    kept = values != 0
    places = torch.stack([row[kept], column[kept]])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")
        entries = torch.sparse_coo_tensor(places, values[kept], shape, check_invariants=True)
        return entries.coalesce().to_sparse_csr()


def joint(children: Sequence[Cpt], floor: float) -> Cpt:
    """The table of several children with the same columns, independent given those, the last child fastest.

    Raises UserError where it would hold more than `LIMIT` entries.
    """
    first, *rest = children
    if not rest:
        return first
    listed = [lists(child) for child in children]
    size, columns = prod(child.size for child in children), first.columns
    width = prod(chances.shape[1] for _, chances in listed)
    dense = columns < DENSE or width > FULL * size
    entries = columns * (size if dense else width)
    if entries > LIMIT:
        raise UserError(
            f"the table of the joint state would hold {entries:,} entries, more than {LIMIT:,}: "
            "make transitions more certain, or leave out a factor"
        )
    if dense:
        table = first.table
        for child in rest:
            table = (table.unsqueeze(1) * child.table.unsqueeze(0)).flatten(0, 1)
        return Dense(table, floor)
    reached, chances = listed[0]
    for child, (more, weights) in zip(rest, listed[1:], strict=True):
        reached = (reached.unsqueeze(-1) * child.size + more.unsqueeze(-2)).flatten(-2)
        chances = (chances.unsqueeze(-1) * weights.unsqueeze(-2)).flatten(-2)
    return Listed(reached, chances, size, floor)


def lists(cpt: Cpt) -> tuple[Tensor, Tensor]:
    """What each column can become, and how likely, (columns, k)."""
    if isinstance(cpt, Listed):
        return cpt.reached, cpt.chances
    reached = cpt._once("reached", lambda: _filled(cpt.table))
    return reached, cpt._once("chances", lambda: cpt.table.T.gather(1, reached))


def _filled(table: Tensor) -> Tensor:
    """The rows of a table that are not zero, for each of its columns, (columns, k), then others."""
    filled = table != 0
    order = filled.to(torch.int8).argsort(dim=0, descending=True, stable=True)
    return order[: int(filled.sum(0).max())].T


def suited(listed: Listed) -> Cpt:
    """The table in the form that suits it, see `tabled`."""
    filled = int((listed.chances != 0).sum())
    small = listed.columns < DENSE or filled > FULL * listed.size * listed.columns
    return Dense(listed.table, listed.floor) if small else listed
