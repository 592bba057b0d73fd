"""Conditional tables that are learned: Dirichlet counts of every column, whose mean is the table.

Zero counts are structural: what is held impossible is never learned and promises no gain. `DenseCounts` keep an array,
`agentic_energies.listed_counts.ListedCounts` what was met.
"""

from abc import ABC, abstractmethod
from math import inf
from typing import TypedDict, final

import torch
from torch import Tensor, nn

from agentic import UserError
from agentic_energies.arrays import check_finite
from agentic_energies.cpt import Cpt, Dense
from agentic_energies.dirichlet import impossibility, information


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
    def prior(self, columns: Tensor | None = None) -> Tensor:
        """The counts of some columns (c,), or of all, before anything was learned: (size, c)."""

    @abstractmethod
    def add(self, weights: Tensor, columns: Tensor) -> None:
        """Count `weights` (size, c) in the different `columns` (c,); the table follows."""

    @abstractmethod
    def information(self) -> Tensor:
        """The information in nats that one draw of each column gives about it, (columns,)."""

    @abstractmethod
    def prune(self, threshold: float, negligible: float) -> int:
        """Hold impossible what is `superfluous`, and say how many values that were; `negligible` is in observations.

        The prior becomes the reduced one, and the counts its posterior.
        """

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

    def prior(self, columns: Tensor | None = None) -> Tensor:
        return self.given if columns is None else self.given[:, columns]

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

    def prune(self, threshold: float, negligible: float) -> int:
        spare = superfluous(self.values, self.given, threshold, negligible * self.rate)
        columns = spare.any(0).nonzero().squeeze(-1)
        self.values[spare], self.given[spare] = 0, 0
        after = self.values[:, columns]
        self.table.values[:, columns] = after / after.sum(0)
        return int(spare.sum())


def superfluous(counts: Tensor, prior: Tensor, threshold: float, negligible: float) -> Tensor:
    """Which values (k, c) of columns are better held impossible: Bayesian model reduction, each value for itself.

    Those of which at most `negligible` was counted, where more was of another, and whose `impossibility` is more than
    `threshold` nats.
    """
    learned = counts - prior
    there = (prior > 0) & (learned <= negligible) & (learned > negligible).any(0)
    return there & (impossibility(counts, prior) > threshold)


def check_options(rate: float, forgetting: float) -> Options:
    """The options themselves. Raises UserError for a rate below zero or without end, and for forgetting all or less."""
    if not 0 <= rate < inf or not 0 <= forgetting < 1:
        raise UserError(
            f"counts expect a rate >= 0 and 0 <= forgetting < 1, got {rate:.6g} and {forgetting:.6g}: give finite ones"
        )
    return {"rate": rate, "forgetting": forgetting}


def check_counts(name: str, counts: Tensor) -> None:
    """Check Dirichlet counts (size, ...). Raises UserError for negative ones, and for columns that allow nothing."""
    if not counts.numel():
        raise UserError(f"{name} is empty, of shape {tuple(counts.shape)}: give a count for each value")
    total = check_finite(name, counts).sum(0)
    if bool((counts < 0).any()) or bool((total <= 0).any()):
        raise UserError(
            f"{name} must not be negative, and must be positive somewhere in every column, got a smallest count of "
            f"{float(counts.min()):g} and a smallest sum of {float(total.min()):g}"
        )
