"""Reward as an improper goal energy: -scale x expected reward of taking an action in a latent."""

from collections.abc import Sequence
from math import inf, prod
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Categorical, Environment, Model, RewardGoal, Simplex, Step, UserError
from agentic.environments import Successors
from agentic_energies.arrays import finite, tensors


@final
class Reward(RewardGoal):
    """The goal `forward(z, a)` = -scale sum z a r, with `rewards` (states or *factors, actions); no normalizer.

    `scale` is in nats per unit of reward, `after` the energy of every step after the episode's end. Several `controls`,
    of these sizes, make the actions: all their joint values, the last control fastest.
    """

    def __init__(
        self, rewards: Any, *, scale: float = 1.0, after: float = 0.0, controls: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        if not 0 < scale < inf:
            raise UserError(f"reward expects scale > 0 nats per unit of reward, got {scale}")
        table = tensors("rewards", [rewards])[0]
        if table.dim() < 2 or not bool(torch.isfinite(table).all()):
            raise UserError(f"rewards expects finite numbers (*state factors, actions), got shape {tuple(table.shape)}")
        self._scale = float(scale)
        self.action = Simplex(tuple(controls or table.shape[-1:]))
        if self.action.count != table.shape[-1]:
            raise UserError(
                f"rewards of controls {self.action.sizes} need a column per joint action, got {table.shape[-1]}"
            )
        self.costs = nn.Buffer(-scale * table.reshape(-1, table.shape[-1]))
        self.after = finite("after", after)

    @property
    def scale(self) -> float:
        """Nats per unit of reward; gradients pass through one that is set."""
        return self._scale

    @scale.setter
    def scale(self, scale: float) -> None:
        self.register_buffer("costs", self.costs * (scale / self._scale))
        self._scale = scale

    @classmethod
    def from_env(cls, env: Environment, *, scale: float = 1.0, after: float = 0.0) -> Self:
        """The rewards of the environment's truth."""
        controls = env.action.sizes if isinstance(env.action, Simplex) else None
        known = env.known_world()
        rewards = known.rewards if isinstance(known, Successors) else known["rewards"]
        return cls(rewards, scale=scale, after=after, controls=controls)

    def for_env(self, env: Environment) -> Self:
        """The rewards of a world that is announced, on the same scale."""
        return type(self).from_env(env, scale=self.scale, after=self.after)

    @classmethod
    def example(cls) -> Self:
        """Two states, two actions."""
        return cls([[0.0, 1.0], [2.0, -1.0]])

    def expected(self, model: Model, step: Step) -> Tensor:
        if isinstance(step.before, Categorical) and prod(step.before.sizes) != len(self.costs):
            raise UserError(f"rewards of {len(self.costs)} states are asked about {prod(step.before.sizes):,} states")
        return super().expected(model, step)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        actions = self.action.joint(z.to(self.costs.dtype))
        return torch.einsum("...k,...k->...", torch.einsum("jk,...j->...k", self.costs, x), actions)
