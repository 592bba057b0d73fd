"""The conditionals of a model with a belief per factor: energies that are linear in every factor's block.

Every table is looked at through the factors that it depends on, so that nothing is as large as the joint state.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, Self, final

import numpy as np
import torch
from torch import Tensor, nn

from agentic import Categorical, ClosedForm, Conditional, Simplex
from agentic.engine import FactorGraph, outer
from agentic.environments import Dependencies
from agentic_energies.cpt import Cpt, tabled
from agentic_energies.multilinear import expected, states_first, states_last, sum_of


@final
class FactoredObservation(Conditional):
    """The observation -log p(obs | z) where z are the factors' blocks: `forward(z, obs)`, linear in every block."""

    def __init__(self, tables: Sequence[Cpt], parents: Sequence[tuple[int, ...]], factors: Simplex) -> None:
        super().__init__()
        self.cpts, self.parents, self.factors = nn.ModuleList(tables), tuple(parents), factors
        self.sizes = tuple(each.size for each in tables)
        self.forbids = any(each.floor == 0 for each in tables)

    def pairs(self) -> list[tuple[Cpt, tuple[int, ...]]]:
        """Every modality's table with the factors it depends on."""
        return [(each, own) for each, own in zip(self.cpts, self.parents, strict=True) if isinstance(each, Cpt)]

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.swapped()(z, x)

    def swapped(self) -> "SwappedFactored":
        return SwappedFactored(self)

    def given(self, x: Tensor) -> Categorical:
        blocks = columns(self.factors, x)
        seen = torch.cat([cpt.push(joint_weights(own, blocks)) for cpt, own in self.pairs()])
        return Categorical(states_last(seen, x), self.sizes)

    @classmethod
    def example(cls) -> Self:
        """Two modalities over two factors, for the conformance kit."""
        tables = [[0.9, 0.2], [0.1, 0.8]], [[0.5, 0.1, 0.3, 0.6], [0.5, 0.9, 0.7, 0.4]]
        return cls([_table(each) for each in tables], ((0,), (0, 1)), Simplex((2, 2)))


@final
class SwappedFactored(ClosedForm, FactorGraph):
    """The observation as an energy of the factors' blocks: `forward(obs, z)`, linear in every block of `z`."""

    def __init__(self, observation: FactoredObservation) -> None:
        super().__init__()
        self.observation = observation

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        x, z = _together(x, z)
        blocks = columns(self.observation.factors, z)
        terms = [_expected(costs, own, blocks, forbids=self.observation.forbids) for costs, own in self.potentials(x)]
        return sum_of(terms).reshape(z.shape[:-1])

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        x, z = _together(x, z)
        blocks = columns(self.observation.factors, z)
        slopes = [torch.zeros_like(block) for block in blocks]
        for costs, own in self.potentials(x):
            for f in own:
                slopes[f] = slopes[f] + _expected(costs, own, blocks, but=f, forbids=self.observation.forbids)
        return states_last(torch.cat(slopes), z)

    def potentials(self, x: Tensor) -> list[tuple[Tensor, tuple[int, ...]]]:
        observation = self.observation
        known = x.nan_to_num(0.0).to(observation.pairs()[0][0].dtype)
        seen = torch.split(states_first(known), list(observation.sizes))
        sizes, found = observation.factors.sizes, []
        for (cpt, own), block in zip(observation.pairs(), seen, strict=True):
            costs = cpt.costs(block)  # the same in all states, where it looks at none: then said of the first factor
            found.append((costs.view(*[sizes[f] for f in own], -1) if own else costs.expand(sizes[0], -1), own or (0,)))
        return found


@final
class FactoredTransition(Conditional, FactorGraph):
    """The transition -log p(z' | z, a), factor by factor: `forward((z, a), z')`, linear in every block."""

    def __init__(self, tables: Sequence[Cpt], form: Dependencies) -> None:
        super().__init__()
        self.form = form
        self.tables = nn.ModuleList(tables)
        self.factors, self.action = Simplex(form.factors), Simplex(form.controls)

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        before, action, after = _together(*x, z)
        blocks, controls = columns(self.factors, before), columns(self.action, action.to(before.dtype))
        terms = []
        for f, (cpt, ahead) in enumerate(zip(self.cpts(), columns(self.factors, after), strict=True)):
            terms.append(expected(cpt.costs(ahead).T, self._given(f, blocks, controls).T))
        return sum_of(terms).reshape(before.shape[:-1])

    def given(self, x: tuple[Tensor, Tensor]) -> Categorical:
        before, action = _together(*x)
        blocks, controls = columns(self.factors, before), columns(self.action, action.to(before.dtype))
        ahead = [cpt.push(self._given(f, blocks, controls)) for f, cpt in enumerate(self.cpts())]
        return Categorical(states_last(torch.cat(ahead), before), self.factors.sizes)

    def potentials(self, x: tuple[Tensor | None, Tensor]) -> list[tuple[Tensor, tuple[int, ...]]]:
        before, action = x
        if before is not None:
            before, action = _together(before, action)
        controls, count, found = columns(self.action, action.to(self.cpts()[0].dtype)), len(self.form.factors), []
        for f, (cpt, own) in enumerate(zip(self.cpts(), self.form.B, strict=True)):
            every = cpt.every_cost()
            sizes = [self.form.factors[i] for i in own]
            taken = joint_weights(self.form.B_actions[f], controls)
            costs = _taken(every.view(prod(sizes), -1, cpt.size), taken).view(*sizes, cpt.size, -1)
            if before is None:
                found.append((costs, (*own, count + f)))
            else:
                blocks = columns(self.factors, before)
                found.append((_expected(costs, (*own, count + f), blocks, but=count + f, forbids=True), (f,)))
        return found

    def cpts(self) -> list[Cpt]:
        """Every factor's table."""
        return [each for each in self.tables if isinstance(each, Cpt)]

    def _given(self, f: int, blocks: Sequence[Tensor], controls: Sequence[Tensor]) -> Tensor:
        """The probabilities (columns, b) of what factor `f` depends on."""
        return joint_weights(self.form.parents_of_B(f), (*blocks, *controls))

    @classmethod
    def example(cls) -> Self:
        """Two factors, the second moved by the first too, for the conformance kit."""
        first = [[0.7, 0.1, 0.2, 0.6], [0.3, 0.9, 0.8, 0.4]]
        second = [[0.9, 0.5, 0.1, 0.3, 0.4, 0.2, 0.6, 0.7], [0.1, 0.5, 0.9, 0.7, 0.6, 0.8, 0.4, 0.3]]
        form = Dependencies(factors=(2, 2), controls=(2,), A=(), B=((0,), (1, 0)), B_actions=((0,), (0,)))
        return cls([_table(first), _table(second)], form)


@final
class FactoredPrior(Conditional):
    """The prior -log p(z) at the start of an episode, factor by factor: `forward(c, z)`."""

    start: Tensor

    def __init__(self, start: Sequence[Tensor], floor: float) -> None:
        super().__init__()
        self.start, self.floor = nn.Buffer(torch.cat(list(start))), floor
        self.sizes = tuple(len(each) for each in start)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return expected(-self.start.clamp(min=self.floor).log(), z)

    def given(self, x: Tensor) -> Categorical:
        return Categorical(self.start.expand(*x.shape[:-1], -1), self.sizes)


def columns(domain: Simplex, z: Tensor) -> tuple[Tensor, ...]:
    """The blocks of vectors (*s, b, n) as columns, each (size, *s * b)."""
    return torch.split(states_first(z), list(domain.sizes))


def _together(*vectors: Tensor) -> list[Tensor]:
    """Vectors (*s, b, n) with sample axes that broadcast, expanded to the same."""
    rows = np.broadcast_shapes(*[vector.shape[:-1] for vector in vectors])
    return [vector.expand(*rows, -1) for vector in vectors]


def joint_weights(own: Sequence[int], blocks: Sequence[Tensor]) -> Tensor:
    """The joint probabilities (product of sizes, b) of the blocks `own` (size, b), the last fastest; of none, 1."""
    return outer([blocks[i].T for i in own]).T if own else torch.ones_like(blocks[0][:1])


def _taken(costs: Tensor, weights: Tensor) -> Tensor:
    """The mean (n, size, b) of costs (n, k, size) under weights (k, b), where infinite costs of weight 0 are none."""
    barred = costs.isinf()
    mean = torch.einsum("nkc,kb->ncb", costs.masked_fill(barred, 0.0), weights)
    if not bool(barred.any()):
        return mean
    return mean.masked_fill(torch.einsum("nkc,kb->ncb", barred.to(weights.dtype), weights) > 0, torch.inf)


def _expected(
    costs: Tensor, own: Sequence[int], blocks: Sequence[Tensor], but: int | None = None, *, forbids: bool
) -> Tensor:
    """Costs (*sizes of `own`, b) under the blocks of `own`, all summed over but that of the factor `but`.

    Where they may be infinite, `forbids`, those of what has no probability are none.
    """
    axis = 0
    for f in own:
        if f == but:
            axis = 1
        else:
            block = blocks[f].reshape(*[1] * axis, len(blocks[f]), *[1] * (costs.dim() - axis - 2), -1)
            weighed = costs * block
            costs = (torch.where(block > 0, weighed, 0.0) if forbids else weighed).sum(axis)
    return costs


def _table(columns: Sequence[Sequence[float]]) -> Cpt:
    return tabled(torch.tensor(columns, dtype=torch.float64), 1e-16)
