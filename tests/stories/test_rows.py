"""Eight environments side by side, or one by one with the same streams: the agent cannot tell the difference."""

from typing import Any

import gymnasium
import numpy as np
import torch

from agentic import EnergyAgent, Purpose, make, ticks
from agentic.runs.seeds import environment_seed
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.reward import Reward
from agentic_envs.tmaze import TMaze
from agentic_optimizers.backups import Max, MeanUnderSoftmax
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.newton import Newton
from agentic_optimizers.riccati import Riccati
from agentic_optimizers.tree import TreeSearch

ROWS = 8
SEED = 5


class AsRow(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A single environment that is seeded as the given row of a batch."""

    def __init__(self, env: Any, row: int) -> None:
        super().__init__(env)
        self.row = row

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return super().reset(seed=None if seed is None else environment_seed(SEED, self.row), options=options)


def course(agent: EnergyAgent, env: Any, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Native observations and actions, (steps, b, ...)."""
    world = make(env)
    run = list(ticks(agent, world, seed=SEED, steps=steps * world.batch, dtype=torch.float64))
    return np.stack([tick.native.obs for tick in run]), np.stack([tick.native.action for tick in run])


def both(agent: EnergyAgent, env_id: str, steps: int) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """The course of a batch, and of its rows one by one, put side by side."""
    together = course(agent, [gymnasium.make(env_id) for _ in range(ROWS)], steps)
    alone = [course(agent, AsRow(gymnasium.make(env_id), row), steps) for row in range(ROWS)]
    return together, tuple(np.concatenate([part[i] for part in alone], 1) for i in range(2))


def test_in_the_tmaze_all_actions_are_equal() -> None:
    truth = TMaze().true_model()
    model = CategoricalModel(truth["A"], truth["B"], truth["D"])
    purpose = Purpose(LogPreferences([[0.0] * 5, [0.0, 2.0, -6.0]]), 2, SummedGain())
    agent = EnergyAgent(model, purpose, Mirror(), TreeSearch(MeanUnderSoftmax(3.0)))
    together, alone = both(agent, "agentic_envs:agentic/TMaze-v0", 20)
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one, other)
    assert len(np.unique(together[1])) > 2, "the rows must have something to tell apart"


def test_on_the_frozen_lake_all_actions_are_equal() -> None:
    world = make("FrozenLake-v1")
    agent = EnergyAgent(
        CategoricalModel.from_env(world), Purpose(Reward.from_env(world), 30), Mirror(), TreeSearch(Max())
    )
    together, alone = both(agent, "FrozenLake-v1", 40)
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one, other)


def test_on_a_continuous_world_observations_agree_for_fifty_steps() -> None:
    """A pendulum near its top, under the feedback law of its linearization: cosine, sine and velocity are seen."""
    model = LinearGaussian(
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.05], [0.0, 0.75, 1.0]],
        [[0.0], [0.0075], [0.15]],
        Q=[1e-3] * 3,
        R=[1e-4] * 3,
        action=make("Pendulum-v1").action,
    )
    purpose = Purpose(QuadraticGoal([1.0, 1.0, 0.1], [1.0, 0.0, 0.0]), 20, effort=Effort([0.01]))
    together, alone = both(EnergyAgent(model, purpose, Newton(), Riccati()), "Pendulum-v1", 50)
    for one, other in zip(together, alone, strict=True):
        assert np.abs(one - other).max() < 1e-9
    assert np.ptp(together[0][-1], axis=0).max() > 0.1, "the rows must have something to tell apart"
