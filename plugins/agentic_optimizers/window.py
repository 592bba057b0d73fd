"""A window of an episode as one objective: all latents of some steps in a row, given what was observed and done.

Its free energy is minus the log evidence of the window. Solvers of discrete latents take it: `exact` by elimination,
`belief_propagation`, mean field over every step (`mirror`) or over chains (`StructuredMeanField`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import torch
from torch import Tensor

from agentic import Belief, Categorical, Model, Objective, Simplex, UserError
from agentic.engine import FactorGraph

Scoped = tuple[Tensor, tuple[int, ...]]


@final
@dataclass(frozen=True)
class Window(Objective):
    """The objective -log p(obs, z) of T steps z_1 .. z_T in a row, in nats, each with a block for every factor.

    `obs` (T, b, event), which may be distributions, and missing where blocks are NaN; `actions` (T - 1, b, event) in
    between; `prior` the belief about the first step, None for an episode's beginning. That the episode went on is not
    counted as observed. Raises UserError for models whose energies are no sums of tables, and lengths that do not fit.
    """

    model: Model
    obs: Tensor
    actions: Tensor
    prior: Belief | None = None

    def __post_init__(self) -> None:
        check_lengths("a window", self.obs, self.actions)
        parts = self.model.observation.swapped(), self.model.transition
        if not all(isinstance(part, FactorGraph) for part in parts):
            raise UserError(f"a window needs a model that is a sum of tables, as factored, got {self.model.latent}")

    @property
    def domain(self) -> Simplex:
        return Simplex(self._factors * len(self.obs))

    @property
    def first(self) -> Categorical:
        """The belief about the first step, before it is observed."""
        belief = self.model.begin(self.obs.shape[1]) if self.prior is None else self.prior
        assert isinstance(belief, Categorical)
        return belief

    def start(self, z: Any) -> Tensor:
        """`z`, or where that is None what the model predicts without having observed anything."""
        if z is not None:
            return torch.as_tensor(z)
        belief: Belief = self.first
        predicted = [belief.mean]
        for action in self.actions:
            belief = self.model.predict(belief, action.to(belief.mean.dtype))
            predicted.append(belief.mean)
        return torch.cat(predicted, -1)

    def by_factor(self, z: Tensor) -> list[Tensor]:
        """Vectors (*s, b, T * n) as the probabilities (n, *s, T, b) of every factor."""
        steps = z.unflatten(-1, (len(self.obs), -1)).movedim(-1, 0).transpose(-1, -2)
        return list(torch.split(steps, list(self._factors)))

    def around(self, now: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """The factors' probabilities before every action and, counted on behind them, after it."""
        after = {len(now) + f: block[..., 1:, :] for f, block in now.items()}
        return {f: block[..., :-1, :] for f, block in now.items()} | after

    @cached_property
    def seen(self) -> list[Scoped]:
        """The tables of what was observed, (*sizes, T, b), over the factors."""
        energy, obs = self.model.observation.swapped(), self.obs.to(self.first.mean.dtype)
        assert isinstance(energy, FactorGraph)
        return [(each.unflatten(-1, obs.shape[:2]), over) for each, over in energy.potentials(obs.flatten(0, 1))]

    @cached_property
    def moved(self) -> list[Scoped]:
        """The tables of the transitions, (*sizes, T - 1, b), over the factors and, counted on behind them, the next."""
        if not len(self.actions):
            return []
        energy, did = self.model.transition, self.actions.to(self.first.mean.dtype)
        assert isinstance(energy, FactorGraph)
        tables = energy.potentials((None, did.flatten(0, 1)))
        return [(each.unflatten(-1, did.shape[:2]), over) for each, over in tables]

    def potentials(self) -> list[Scoped]:
        """Every table of the window over its variables, step by step: step t has the numbers from t * factors on."""
        count = len(self._factors)
        found: list[Scoped] = [(-block.T.log(), (f,)) for f, block in enumerate(self.first.blocks)]
        for stacked in (self.seen, self.moved):
            for costs, over in stacked:
                found += [(each, tuple(t * count + f for f in over)) for t, each in enumerate(costs.unbind(-2))]
        return found

    def __call__(self, z: Tensor) -> Tensor:
        now = dict(enumerate(self.by_factor(z)))
        value = z.new_zeros(z.shape[:-1])
        for f, block in enumerate(self.first.blocks):
            value = value + expected(-block.T.log(), (f,), {f: now[f][..., 0, :]}, ())
        for costs, over in self.seen:
            value = value + expected(costs, over, now, ()).sum(-2)
        for costs, over in self.moved:
            value = value + expected(costs, over, self.around(now), ()).sum(-2)
        return value

    def gradient(self, z: Tensor) -> Tensor:
        now = dict(enumerate(self.by_factor(z)))
        around, slopes = self.around(now), [torch.zeros_like(block) for block in now.values()]
        for slope, block in zip(slopes, self.first.blocks, strict=True):
            slope[..., 0, :] -= block.T.log().view(len(slope), *[1] * (slope.dim() - 3), -1)
        for costs, over in self.seen:
            for f in over:
                slopes[f] += expected(costs, over, now, (f,))
        for costs, over in self.moved:
            for v in over:
                later, f = divmod(v, len(now))
                slopes[f][..., later : later + len(self.actions), :] += expected(costs, over, around, (v,))
        return torch.cat(slopes).movedim(0, -1).transpose(-2, -3).flatten(-2)

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(z), self.gradient(z)

    @property
    def _factors(self) -> tuple[int, ...]:
        assert isinstance(self.model.latent, Simplex)
        return self.model.latent.sizes


def check_lengths(who: str, obs: Tensor, actions: Tensor) -> None:
    """Raise UserError unless there is one observation more than actions."""
    if not len(obs) or len(actions) != len(obs) - 1:
        raise UserError(f"{who} expects T observations and T - 1 actions, got {len(obs)} and {len(actions)}")


def expected(costs: Tensor, over: tuple[int, ...], blocks: Mapping[int, Tensor], kept: tuple[int, ...]) -> Tensor:
    """Costs (*sizes, ...) under independent blocks (size, ...) of all variables but those that are `kept`.

    Infinite costs of what has no probability are none.
    """
    ahead, samples = len(over), next(iter(blocks.values())).dim() - 1
    missing = samples - (costs.dim() - ahead)
    costs = costs.reshape(*costs.shape[:ahead], *[1] * missing, *costs.shape[ahead:])
    axis = 0
    for v in over:
        if v in kept:
            axis += 1
            continue
        left = costs.dim() - samples - axis - 1
        weights = blocks[v].reshape(*[1] * axis, len(blocks[v]), *[1] * left, *blocks[v].shape[1:])
        costs = torch.where(weights > 0, costs * weights, 0.0).sum(axis)
    return costs
