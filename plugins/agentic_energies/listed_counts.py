"""Dirichlet counts as lists: what was met, above an equal share of the prior for every value."""

from collections.abc import Mapping
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import UserError
from agentic_energies.counts import Counts, superfluous
from agentic_energies.cpt import Cpt, Dense, lists
from agentic_energies.dirichlet import information

ROOM = 4  # values a list has room for at first


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

    A share of 0 makes every value impossible that no list `given` names. Lists grow as values are met. The values that
    a column does not list are pruned together, and those that it lists only with them, unless its share is 0.
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
        self.size, self.columns = size, columns
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

    def prior(self, columns: Tensor | None = None) -> Tensor:
        chosen = torch.arange(self.columns) if columns is None else columns
        return self.table.above_share(chosen, self.given[chosen])

    def add(self, weights: Tensor, columns: Tensor) -> None:
        weights, table = weights.to(self.given), self.table
        if self.forgetting:
            given = self.given[columns]
            table.counts[columns] = given + (table.counts[columns] - given) * self._kept(weights).unsqueeze(-1)
        for child, place in weights.nonzero().tolist():
            self._count(int(columns[place]), child, self.rate * weights[child, place])
        self._follow(columns)

    def information(self) -> Tensor:
        if not len(self.known):
            blocks = torch.arange(self.columns).split(256)
            self.known = torch.cat([information(self.table.alpha(block)) for block in blocks])
        return self.known

    def prune(self, threshold: float, negligible: float) -> int:
        learned, pruned = (self.table.counts - self.given).sum(-1), 0
        for columns in (learned > 0).nonzero().squeeze(-1).split(256):
            counts, prior = self.table.alpha(columns), self.prior(columns)
            spare = superfluous(counts, prior, threshold, negligible * self.rate)
            changed = spare.any(0).nonzero().squeeze(-1)
            pruned += sum(self._drop(int(columns[i]), spare[:, i]) for i in changed)
            self._follow(columns[changed])
        return pruned

    def _drop(self, column: int, spare: Tensor) -> int:
        """Take values, true in `spare` (size,), out of a column: what it lists then has its whole prior in the list."""
        table, used, share = self.table, int(self.table.length[column]), float(self.table.share[column])
        listed = table.reached[column, :used]
        if share > 0 and not bool(spare.index_fill(0, listed, True).all()):
            return 0
        place = (~spare[listed]).nonzero().squeeze(-1)
        for kept, prior in ((table.reached, 0), (table.counts, share), (self.given, share)):
            own = kept[column, place] + prior
            kept[column] = 0
            kept[column, : len(place)] = own
        table.length[column], table.share[column] = len(place), 0
        return (self.size if share > 0 else used) - len(place)

    def _follow(self, columns: Tensor) -> None:
        """Bring what is kept beside the counts of some columns up to date."""
        self.table.sum_up(columns)
        if len(self.known):
            self.known = self.known.index_copy(0, columns, information(self.table.alpha(columns)))

    def _count(self, column: int, child: int, weight: Tensor) -> None:
        table = self.table
        used = int(table.length[column])
        met = (table.reached[column, :used] == child).nonzero()
        if not len(met):
            if table.share[column] == 0:
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
        self.share = nn.Buffer(torch.full((len(reached),), share, dtype=counts.dtype))
        self.reached, self.counts, self.length = nn.Buffer(reached), nn.Buffer(counts), nn.Buffer(length)
        self.total = nn.Buffer(self.share * size + counts.sum(-1))
        if bool((self.total <= 0).any()):
            raise UserError("counts expect something that is possible in every column: give a share > 0, or lists")

    def alpha(self, columns: Tensor) -> Tensor:
        """The counts of some columns, (size, c)."""
        return self.above_share(columns, self.counts[columns])

    def above_share(self, columns: Tensor, counts: Tensor) -> Tensor:
        """Counts (c, k) of what some columns list, above their shares, (size, c)."""
        return self.share[columns].expand(self.size, -1).scatter_add(0, self.reached[columns].T, counts.T)

    def sum_up(self, columns: Tensor) -> None:
        """Bring the totals of some columns up to date."""
        self.total[columns] = self.share[columns] * self.size + self.counts[columns].sum(-1)

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
        spread: Tensor = (self.share[columns] / self.total[columns]).T @ weights
        return moved + spread.repeat(self.size, 1)

    def costs(self, child: Tensor) -> Tensor:
        return Dense(self.table, self.floor).costs(child)

    def mean(self, values: Tensor) -> Tensor:
        met = (self.counts * values[self.reached]).sum(-1)
        return (met + self.share * values.sum()) / self.total

    def entropy(self) -> Tensor:
        used = torch.arange(self.counts.shape[1]) < self.length.unsqueeze(-1)
        met = torch.special.entr((self.share.unsqueeze(-1) + self.counts) / self.total.unsqueeze(-1))
        rest = (self.size - self.length) * torch.special.entr(self.share / self.total)
        value: Tensor = torch.where(used, met, 0.0).sum(-1) + rest
        return value

    def spread(self, index: Tensor) -> Dense:
        return Dense(self.alpha(index) / self.total[index], self.floor)


def _possible_first(table: Cpt) -> tuple[Tensor, Tensor]:
    """The lists of a table, its zeros behind, (columns, k)."""
    reached, chances = lists(table)
    order = (chances > 0).to(torch.int8).argsort(dim=-1, descending=True, stable=True)
    return reached.gather(-1, order), chances.gather(-1, order)
