"""Agents with parameters of their own in one batch: a model whose row i has the tables of the i-th of several."""

from collections.abc import Sequence
from copy import deepcopy
from typing import final

import torch
from torch import Tensor, nn

from agentic import UserError
from agentic_energies.cpt import Cpt
from agentic_energies.factored import FactoredModel


@final
class Stacked(Cpt):
    """The tables of as many agents, (agents, size, columns), one for each row of a batch.

    What it is asked has the agents fastest, (columns, s * agents): column j is that of agent j modulo their number.
    Raises UserError where one table for all is asked for, as by trees of beliefs and windows of steps.
    """

    def __init__(self, tables: Sequence[Cpt] | Tensor, floor: float) -> None:
        values = tables if isinstance(tables, Tensor) else torch.stack([each.table for each in tables])
        super().__init__(values.shape[1], values.shape[2], floor)
        self.values = nn.Buffer(values.clone())

    @property
    def table(self) -> Tensor:
        raise UserError(f"{len(self.values)} agents have tables of their own: ask the model of each, one by one")

    def every_cost(self) -> Tensor:
        return self.table

    def matrix(self, kept: int) -> Tensor:
        split = self.values.view(len(self.values), self.size, -1, kept)
        return split.transpose(2, 3).reshape(len(split), self.size * kept, -1)

    def push(self, weights: Tensor, kept: int = 1) -> Tensor:
        return _each(self._once(f"kept {kept}", lambda: self.matrix(kept)), weights)

    def costs(self, child: Tensor) -> Tensor:
        energy = _each(self._once("costs", self._costs), child)
        if self.floor > 0:
            return energy
        forbidden = self._once("forbidden", lambda: (self.values == 0).to(self.values.dtype).transpose(1, 2))
        return torch.where(_each(forbidden, child) > 0, torch.inf, energy)

    def _costs(self) -> Tensor:
        clamped = self.values.clamp(min=self.floor)
        return -torch.where(clamped == 0, 1.0, clamped).log().transpose(1, 2)

    def mean(self, values: Tensor) -> Tensor:
        return values @ self.values

    def entropy(self) -> Tensor:
        value: Tensor = torch.special.entr(self.values).sum(1)
        return value

    def noise(self, weights: Tensor) -> Tensor:
        return _each(self.entropy().unsqueeze(1), weights).squeeze(0)

    def spread(self, index: Tensor) -> "Stacked":
        return Stacked(self.values[:, :, index], self.floor)


def stacked(models: Sequence[FactoredModel]) -> FactoredModel:
    """The model of a batch of as many agents as there are `models`, each row of which perceives and plans in its own.

    A copy: what the models learn later is not in it. Batches of other sizes have no meaning, and neither have trees,
    windows, and counts that were learned: they ask one model for all rows, and get a UserError. Raises UserError for
    models of different factors, outcomes, controls or dependencies, and for habits or endings that differ.
    """
    if not models:
        raise UserError("stacked expects at least one model")
    first = models[0]
    for i, model in enumerate(models):
        if _form(model) != _form(first):
            raise UserError(
                f"stacked expects models of one form, model {i} has {_form(model)}, the first {_form(first)}"
            )
        mine, other = first.log_habits, model.log_habits
        if (mine is None) != (other is None) or (
            mine is not None and other is not None and not torch.equal(mine, other)
        ):
            raise UserError(f"stacked expects models with the same habits E, those of model {i} are others")
        if model.ending != first.ending or not torch.equal(model.going_on, first.going_on):
            raise UserError(f"stacked expects models whose episodes end alike, those of model {i} end otherwise")
    made = deepcopy(first)
    made.observation.cpts = _stack([model.observation.cpts for model in models], first.prior.floor)
    made.transition.tables = _stack([model.transition.tables for model in models], first.prior.floor)
    made.prior.start = nn.Buffer(torch.stack([model.prior.start for model in models]))
    return made


def _form(model: FactoredModel) -> tuple[object, ...]:
    """What all agents of a batch have in common."""
    spaces = model.latent.sizes, model.outcome.sizes, model.action.sizes
    return *spaces, model.observation.parents, model.transition.form, model.prior.floor


def _stack(lists: Sequence[nn.ModuleList], floor: float) -> nn.ModuleList:
    """The same table of every model as one."""
    return nn.ModuleList(
        Stacked([each for each in tables if isinstance(each, Cpt)], floor) for tables in zip(*lists, strict=True)
    )


def _each(matrices: Tensor, columns: Tensor) -> Tensor:
    """Matrices (agents, m, n) times the columns (n, s * agents) of their agents: (m, s * agents)."""
    own = columns.reshape(len(columns), -1, len(matrices)).permute(2, 0, 1)
    return (matrices @ own).permute(1, 2, 0).flatten(1)
