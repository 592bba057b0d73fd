"""What hidden states would be worth if they were seen: a bound on what follows the horizon of a plan."""

from typing import Any, Self, final

import numpy as np
from torch import Tensor, nn

from agentic import Environment, LatentGoal, UserError, World
from agentic_energies.arrays import check_finite, finite, numbers

BACKUPS, SETTLED = 10_000, 1e-6  # at most so many, until none changes a value by more than this share of the largest


@final
class Qmdp(LatentGoal):
    """The energy -scale x V(z), V (states,) what would be earned from z on if states were seen (QMDP).

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
        self.costs, self.after = nn.Buffer(-scale * worth), finite("after", after)

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
        return cls(values[: world.origins], scale=scale, after=after)

    @classmethod
    def example(cls) -> Self:
        """Two states, the second worth more."""
        return cls([0.5, 1.0])

    def forward(self, x: Any, z: Tensor) -> Tensor:
        if z.shape[-1] != len(self.costs):
            raise UserError(f"qmdp knows the values of {len(self.costs)} states, and is asked about {z.shape[-1]}")
        return z.to(self.costs.dtype) @ self.costs
