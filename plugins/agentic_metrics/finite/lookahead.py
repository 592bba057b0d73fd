"""Agents that look a given number of steps ahead: the family among which an agent's depth is sought."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from agentic import UserError
from agentic_metrics.finite.soft import mover
from agentic_metrics.finite.world import Floats, World, greedy

SAME = 1e-9  # log-likelihoods (nats) and probabilities closer than this are equal


@final
@dataclass(frozen=True)
class Planners:
    """Agents that look 1, 2, ..., `deepest` steps ahead before every action and take what is best by then.

    Future rewards count `discount` per step, equally good actions are taken equally often, and with probability
    `lapse` any action at all. Beyond the horizon nothing is expected.
    """

    deepest: int = 16
    discount: float = 0.9
    lapse: float = 0.02

    def __post_init__(self) -> None:
        if self.deepest < 1 or not 0 < self.discount <= 1 or not 0 < self.lapse < 1:
            raise UserError(f"planners need deepest >= 1, a discount in (0, 1] and a lapse between 0 and 1, got {self}")

    def policies(self, world: World) -> tuple[Floats, bool]:
        """Their policies (deepest, states, actions), and whether all deeper ones do what the deepest does.

        That is taken to be so where as many steps more as there are states change nothing.
        """
        move, future, tables = mover(world), np.zeros(world.states), []
        for depth in range(self.deepest + world.states):
            values = np.where(world.ended[:, None], 0.0, world.rewards + self.discount * move(future[:, None])[..., 0])
            future, policy = values.max(-1), greedy(values)
            if depth < self.deepest:
                tables.append(policy)
            elif np.abs(policy - tables[-1]).max() > SAME:
                return self._lapsing(tables), False
        return self._lapsing(tables), True

    def _lapsing(self, tables: list[Floats]) -> Floats:
        planned = np.stack(tables)
        return np.asarray((1 - self.lapse) * planned + self.lapse / planned.shape[-1])


def telling(policies: Floats, world: World) -> NDArray[np.bool_]:
    """The states (s,) in which some planner prefers an action; where there are none, all in which it goes on."""
    kept = np.asarray((np.ptp(policies, axis=-1) > SAME).any(0))
    return kept if kept.any() else ~world.ended
