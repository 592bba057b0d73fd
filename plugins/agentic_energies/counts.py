"""Conditional tables that are learned: Dirichlet counts of every column, whose mean is the table.

Zero counts are structural: what is held impossible is never learned and promises no gain. `DenseCounts` keep an array;
`ListedCounts` keep what was met, above an equal share of the prior for every value, and cost what was met.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import inf
from typing import Any, Self, TypedDict, final

import torch
from torch import Tensor, nn

from agentic import UserError
from agentic_energies.arrays import check_finite
from agentic_energies.cpt import Cpt, Dense, lists
from agentic_energies.dirichlet import information

ROOM = 4  # values a list has room for at first


class Options(TypedDict):
    """The options of counts."""

    rate: float
    forgetting: float


class Counts(nn.Module, ABC):
    """Dirichlet counts over `size` values of a child, one column per joint value of its parents.

    What is counted weighs `rate`. Before a column is given weight w, what it had learned is kept to a part of
    (1 - forgetting)^w; the prior is never forgotten.
    """

    size: int
    columns: int

    def __init__(self, rate: float, forgetting: float) -> None:
        super().__init__()
        self.rate, self.forgetting = rate, forgetting

    @property
    def rate(self) -> float:
        """What one observation weighs. Raises UserError where it is set to less than 0 or to infinity."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate = check_options(rate, 0.0)["rate"]

    @property
    def forgetting(self) -> float:
        """What a column forgets for each observation. Raises UserError where it is set to less than 0, or to 1."""
        return self._forgetting

    @forgetting.setter
    def forgetting(self, forgetting: float) -> None:
        self._forgetting = check_options(0.0, forgetting)["forgetting"]

    @property
    @abstractmethod
    def cpt(self) -> Cpt:
        """The mean of the counts as a table, the same object for as long as they live."""

    @abstractmethod
    def alpha(self, columns: Tensor | None = None) -> Tensor:
        """The counts of some columns (c,), or of all: (size, c)."""

    @abstractmethod
    def prior(self) -> Tensor:
        """The counts before anything was learned, (size, columns)."""

    @abstractmethod
    def add(self, weights: Tensor, columns: Tensor) -> None:
        """Count `weights` (size, c) in the different `columns` (c,); the table follows."""

    @abstractmethod
    def information(self) -> Tensor:
        """The information in nats that one draw of each column gives about it, (columns,)."""

    def _kept(self, weights: Tensor) -> Tensor:
        """The part of what was learned that stays when columns are given weights (size, c): (c,)."""
        kept: Tensor = (1 - self.forgetting) ** weights.sum(0)
        return kept


@final
class DenseCounts(Counts):
    """Counts as an array (size, columns). Raises UserError for negative ones and for columns of zeros."""

    values: Tensor

    def __init__(self, counts: Tensor, floor: float, *, rate: float = 1.0, forgetting: float = 0.0) -> None:
        super().__init__(rate, forgetting)
        check_counts("counts", counts)
        self.size, self.columns = counts.shape
        self.values, self.given = nn.Buffer(counts.clone()), nn.Buffer(counts.clone())
        self.table = Dense(counts / counts.sum(0), floor)

    @property
    def cpt(self) -> Cpt:
        return self.table

    def alpha(self, columns: Tensor | None = None) -> Tensor:
        return self.values if columns is None else self.values[:, columns]

    def prior(self) -> Tensor:
        return self.given

    def add(self, weights: Tensor, columns: Tensor) -> None:
        before, weights = self.values[:, columns], weights.to(self.values)
        if self.forgetting:
            given = self.given[:, columns]
            before = given + (before - given) * self._kept(weights)
        after = torch.where(before > 0, before + self.rate * weights, before)
        if after.requires_grad:  # gradients may still need what is overwritten
            self.values, self.table.values = self.values.clone(), self.table.values.clone()
        self.values[:, columns] = after
        self.table.values[:, columns] = after / after.sum(0)

    def information(self) -> Tensor:
        return information(self.values)


class Growing(nn.Module):
    """A module whose buffers may have grown where they were saved: read, they take the room that they had there."""

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *others: Any) -> None:
        for name, own in list(self._buffers.items()):
            saved = state_dict.get(prefix + name)
            if own is not None and saved is not None and (not own.numel() or len(saved) in (0, len(own))):
                setattr(self, name, saved.new_empty(saved.shape))
        super()._load_from_state_dict(state_dict, prefix, *others)


@final
class ListedCounts(Growing, Counts):
    """Counts of the values met, (columns, k), above a prior `share` of every value of the child.

    A share of 0 makes every value impossible that no list `given` names. Lists grow as values are met.
    """

    given: Tensor
    known: Tensor  # the information of every column, kept up from when it is first asked for

    def __init__(
        self,
        size: int,
        columns: int,
        share: float,
        floor: float,
        *,
        given: tuple[Tensor, Tensor] | None = None,
        rate: float = 1.0,
        forgetting: float = 0.0,
    ) -> None:
        super().__init__(rate, forgetting)
        self.size, self.columns, self.share = size, columns, share
        none = torch.zeros(columns, ROOM, dtype=torch.int64), torch.zeros(columns, ROOM, dtype=torch.float64)
        reached, first = none if given is None else (each.clone() for each in given)
        length = torch.zeros(columns, dtype=torch.int64) if given is None else (first > 0).sum(-1)
        if bool((first[:, :-1] <= 0).logical_and(first[:, 1:] > 0).any()):
            raise UserError("lists of counts expect the values that are possible first, and padding behind them")
        self.table = CountedLists(size, reached, first, share, length, floor)
        self.given, self.known = nn.Buffer(first.clone()), nn.Buffer(torch.empty(0, dtype=torch.float64))

    @classmethod
    def of(cls, table: Cpt, strength: float, *, rate: float = 1.0, forgetting: float = 0.0) -> Self:
        """The counts of a listed table, `strength` in every column: what it lists is all that can be learned."""
        if not isinstance(table, CountedLists):
            reached, chances = _possible_first(table)
            given = reached, strength * chances
            return cls(table.size, table.columns, 0.0, table.floor, given=given, rate=rate, forgetting=forgetting)
        raise UserError("this table is learned already")

    @property
    def cpt(self) -> Cpt:
        return self.table

    def alpha(self, columns: Tensor | None = None) -> Tensor:
        chosen = torch.arange(self.columns) if columns is None else columns
        return self.table.alpha(chosen)

    def prior(self) -> Tensor:
        empty = torch.full((self.size, self.columns), self.share, dtype=self.given.dtype)
        return empty.scatter_add(0, self.table.reached.T, self.given.T)

    def add(self, weights: Tensor, columns: Tensor) -> None:
        weights, table = weights.to(self.given), self.table
        if self.forgetting:
            given = self.given[columns]
            table.counts[columns] = given + (table.counts[columns] - given) * self._kept(weights).unsqueeze(-1)
        for child, place in weights.nonzero().tolist():
            self._count(int(columns[place]), child, self.rate * weights[child, place])
        table.total[columns] = table.share * self.size + table.counts[columns].sum(-1)
        if len(self.known):
            self.known = self.known.index_copy(0, columns, information(table.alpha(columns)))

    def information(self) -> Tensor:
        if not len(self.known):
            blocks = torch.arange(self.columns).split(256)
            self.known = torch.cat([information(self.table.alpha(block)) for block in blocks])
        return self.known

    def _count(self, column: int, child: int, weight: Tensor) -> None:
        table = self.table
        used = int(table.length[column])
        met = (table.reached[column, :used] == child).nonzero()
        if not len(met):
            if self.share == 0:
                return
            if used == table.reached.shape[1]:
                table.widen()
                self.given = nn.functional.pad(self.given, (0, used))
            table.reached[column, used] = child
            table.length[column] = used + 1
        table.counts[column, int(met[0]) if len(met) else used] += weight


@final
class CountedLists(Growing, Cpt):
    """The mean of counts in lists: value i of a column has (share + its count) / total.

    `reached` and `counts` (columns, k), the first `length` (columns,) of each used; `total` (columns,) their sums, the
    shares of all values included.
    """

    reached: Tensor
    counts: Tensor

    def __init__(self, size: int, reached: Tensor, counts: Tensor, share: float, length: Tensor, floor: float) -> None:
        super().__init__(size, len(reached), floor)
        self.share = share
        self.reached, self.counts, self.length = nn.Buffer(reached), nn.Buffer(counts), nn.Buffer(length)
        self.total = nn.Buffer(share * size + counts.sum(-1))
        if bool((self.total <= 0).any()):
            raise UserError("counts expect something that is possible in every column: give a share > 0, or lists")

    def alpha(self, columns: Tensor) -> Tensor:
        """The counts of some columns, (size, c)."""
        counts = self.counts[columns].T
        return counts.new_full((self.size, len(columns)), self.share).scatter_add(0, self.reached[columns].T, counts)

    def widen(self) -> None:
        """Make room for twice as many values."""
        more = (0, self.reached.shape[1])
        self.reached, self.counts = nn.functional.pad(self.reached, more), nn.functional.pad(self.counts, more)

    @property
    def table(self) -> Tensor:
        return self.alpha(torch.arange(self.columns)) / self.total

    def matrix(self, kept: int) -> Tensor:
        split = self.table.view(self.size, -1, kept)
        return split.transpose(1, 2).reshape(self.size * kept, -1)

    def push(self, weights: Tensor, kept: int = 1) -> Tensor:
        held = (weights != 0).any(1).nonzero().squeeze(-1)
        columns, weights = held.unsqueeze(-1) * kept + torch.arange(kept), weights[held]
        chances = self.counts[columns] / self.total[columns].unsqueeze(-1)
        place = self.reached[columns] * kept + torch.arange(kept).unsqueeze(-1)
        mass = (chances.flatten(1).unsqueeze(-1) * weights.unsqueeze(1)).flatten(0, 1)
        moved = mass.new_zeros(self.size * kept, weights.shape[-1]).index_add(0, place.flatten(), mass)
        spread: Tensor = (self.share / self.total[columns]).T @ weights
        return moved + spread.repeat(self.size, 1)

    def costs(self, child: Tensor) -> Tensor:
        return Dense(self.table, self.floor).costs(child)

    def mean(self, values: Tensor) -> Tensor:
        met = (self.counts * values[self.reached]).sum(-1)
        return (met + self.share * values.sum()) / self.total

    def entropy(self) -> Tensor:
        used = torch.arange(self.counts.shape[1]) < self.length.unsqueeze(-1)
        met = torch.special.entr((self.share + self.counts) / self.total.unsqueeze(-1))
        rest = (self.size - self.length) * torch.special.entr(self.share / self.total)
        value: Tensor = torch.where(used, met, 0.0).sum(-1) + rest
        return value

    def spread(self, index: Tensor) -> Dense:
        return Dense(self.alpha(index) / self.total[index], self.floor)


def check_options(rate: float, forgetting: float) -> Options:
    """The options themselves. Raises UserError for a rate below zero or without end, and for forgetting all or less."""
    if not 0 <= rate < inf or not 0 <= forgetting < 1:
        raise UserError(
            f"counts expect a rate >= 0 and 0 <= forgetting < 1, got {rate:.6g} and {forgetting:.6g}: give finite ones"
        )
    return {"rate": rate, "forgetting": forgetting}


def check_counts(name: str, counts: Tensor) -> None:
    """Check Dirichlet counts (size, ...). Raises UserError for negative ones, and for columns that allow nothing."""
    total = check_finite(name, counts).sum(0)
    if bool((counts < 0).any()) or bool((total <= 0).any()):
        raise UserError(
            f"{name} must not be negative, and must be positive somewhere in every column, got a smallest count of "
            f"{float(counts.min()):g} and a smallest sum of {float(total.min()):g}"
        )


def _possible_first(table: Cpt) -> tuple[Tensor, Tensor]:
    """The lists of a table, its zeros behind, (columns, k)."""
    reached, chances = lists(table)
    order = (chances > 0).to(torch.int8).argsort(dim=-1, descending=True, stable=True)
    return reached.gather(-1, order), chances.gather(-1, order)
