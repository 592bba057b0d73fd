"""Reward as an improper goal energy: -scale x expected reward of taking an action in a latent."""

from collections.abc import Sequence
from math import inf, prod
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Categorical, Environment, Model, RewardGoal, Simplex, Step, UserError
from agentic.environments import Successors
from agentic_energies.arrays import finite, tensors
from agentic_energies.reward_means import Rewarding, range_of


@final
class Reward(RewardGoal):
    """The goal `forward(z, a)` = -scale sum z a r, with `rewards` (states or *factors, actions); no normalizer.

    Of a model that learns rewards it takes those: `rewards` may then be None.

    `scale` is in nats per unit of reward, `after` the energy of every step after the episode's end. Several `controls`,
    of these sizes, make the actions: all their joint values, the last control fastest. If `relative`, `scale` is what
    the range of rewards is worth, from the lowest to the highest (learned: that was paid yet), 0 among them: then the
    unit of rewards does not matter.
    """

    def __init__(
        self,
        rewards: Any,
        *,
        scale: float = 1.0,
        after: float = 0.0,
        controls: Sequence[int] | None = None,
        relative: bool = False,
    ) -> None:
        super().__init__()
        if rewards is None and controls is None:
            raise UserError("reward expects rewards (*state factors, actions), or controls where a model learns them")
        self.known = rewards is not None
        rewards = torch.zeros(0, prod(controls or ())) if rewards is None else rewards
        table = tensors("rewards", [rewards])[0]
        if table.dim() < 2 or not bool(torch.isfinite(table).all()):
            raise UserError(f"rewards expects finite numbers (*state factors, actions), got shape {tuple(table.shape)}")
        self._scale = _check_scale(float(scale))
        self.action = Simplex(tuple(controls or table.shape[-1:]))
        if self.action.count != table.shape[-1]:
            raise UserError(
                f"rewards of controls {self.action.sizes} need a column per joint action, got {table.shape[-1]}"
            )
        self.relative = relative
        unit = (range_of(table) or 1.0) if relative and self.known else 1.0
        self.costs = nn.Buffer(-scale / unit * table.reshape(-1, table.shape[-1]))
        self.after = finite("after", after)

    @property
    def scale(self) -> float:
        """Nats per unit of reward, or of their range; gradients pass through one that is set."""
        return self._scale

    @scale.setter
    def scale(self, scale: float) -> None:
        self.register_buffer("costs", self.costs * (_check_scale(scale) / self._scale))
        self._scale = scale

    @classmethod
    def from_env(cls, env: Environment, *, scale: float = 1.0, after: float = 0.0, relative: bool = False) -> Self:
        """The rewards of the environment's truth; those that a model learns where it has none."""
        controls = env.action.sizes if isinstance(env.action, Simplex) else None
        try:
            known = env.known_world()
            rewards = known.rewards if isinstance(known, Successors) else known["rewards"]
        except UserError:
            if controls is None:
                raise
            rewards = None
        return cls(rewards, scale=scale, after=after, controls=controls, relative=relative)

    def for_env(self, env: Environment) -> Self:
        """The rewards of a world that is announced, on the same scale."""
        return type(self).from_env(env, scale=self.scale, after=self.after, relative=self.relative)

    @classmethod
    def example(cls) -> Self:
        """Two states, two actions."""
        return cls([[0.0, 1.0], [2.0, -1.0]])

    def expected(self, model: Model, step: Step) -> Tensor:
        learned = model.expected_rewards() if isinstance(model, Rewarding) else None
        if learned is not None:
            assert isinstance(model, Rewarding)
            unit = (model.reward_range() or 1.0) if self.relative else 1.0
            return self._paid(-self.scale / unit * learned, step.before.mean, step.action)
        if isinstance(step.before, Categorical) and prod(step.before.sizes) != len(self.costs):
            raise UserError(
                f"rewards of {len(self.costs)} states are asked about {prod(step.before.sizes):,} states: give rewards "
                "for those, or let the model learn them, with learn = [..., 'rewards']"
            )
        return super().expected(model, step)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        if not self.known:
            raise UserError("this reward goal has no rewards: let the model learn them, with learn = [..., 'rewards']")
        return self._paid(self.costs, x, z)

    def _paid(self, costs: Tensor, x: Tensor, z: Tensor) -> Tensor:
        actions = self.action.joint(z.to(costs.dtype))
        return torch.einsum("...k,...k->...", torch.einsum("jk,...j->...k", costs, x), actions)


def _check_scale(scale: float) -> float:
    if not 0 < scale < inf:
        raise UserError(f"reward expects scale > 0 nats per unit of reward, got {float(scale)}")
    return scale
