"""What hidden states would be worth if they were seen: a bound on what follows the horizon of a plan."""

from typing import Any, Self, final

import numpy as np
from torch import Tensor, nn

from agentic import Categorical, Environment, Goal, Model, Simplex, Step, UserError, World
from agentic_energies.arrays import check_finite, finite, numbers

BACKUPS, SETTLED = 10_000, 1e-6  # at most so many, until none changes a value by more than this share of the largest


@final
class Qmdp(Goal):
    """The energy -scale x V(z), V (states,) what would be earned from each joint state z on if states were seen (QMDP).

    As a terminal goal it stands for all that follows the horizon. It is never less than what can be earned, and takes
    for granted what must be looked for: leave that to the steps before. `scale` is in nats per unit of reward, as in
    `Reward`; `discount` of `from_env` the planner's.

    Source: Littman, Cassandra and Kaelbling 1995, "Learning policies for partially observable environments".
    """

    def __init__(self, values: Any, *, scale: float = 1.0, after: float = 0.0) -> None:
        super().__init__()
        worth = check_finite("values", numbers("values", values)).reshape(-1)
        if finite("scale", scale) <= 0:
            raise UserError(f"qmdp expects scale > 0 nats per unit of reward, got {scale}")
        self.costs, self.scale, self.after = nn.Buffer(-scale * worth), scale, finite("after", after)
        self.discount: float | None = None

    @classmethod
    def from_env(cls, env: Environment, *, discount: float = 0.95, scale: float = 1.0, after: float = 0.0) -> Self:
        """The values of the environment's truth, by value iteration."""
        if not 0 < discount < 1:
            raise UserError(f"qmdp looks ahead without end and needs 0 < discount < 1, got {discount}")
        world = World.of(env.truth())
        values = np.zeros(world.states)
        for _ in range(BACKUPS):
            best = (world.rewards + discount * (world.dynamics @ values)).max(-1)
            before, values = values, np.where(world.ended, 0.0, best)
            if np.abs(values - before).max() <= SETTLED * np.abs(values).max():
                break
        goal = cls(values[: world.origins], scale=scale, after=after)
        goal.discount = discount
        return goal

    def for_env(self, env: Environment) -> Self:
        """The values of a world that is announced; those that were given, not made by `from_env`, stay as they are."""
        if self.discount is None:
            return self
        return type(self).from_env(env, discount=self.discount, scale=self.scale, after=self.after)

    @classmethod
    def example(cls) -> Self:
        """Two states, the second worth more."""
        return cls([0.5, 1.0])

    def expected(self, model: Model, step: Step) -> Tensor:
        after = step.after
        if isinstance(after, Categorical) and len(after.sizes) > 1:
            return self(None, Simplex(after.sizes).joint(after.mean))
        return self(None, after.mean)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        if z.shape[-1] != len(self.costs):
            raise UserError(f"qmdp knows the values of {len(self.costs)} states, and is asked about {z.shape[-1]}")
        return z.to(self.costs.dtype) @ self.costs
