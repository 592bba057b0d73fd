"""Third parties' environments: what they write to, what they return and how they leave."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from torch import Tensor

from agentic import Agent, Decision, Schedule, make, run

PLANE = spaces.Box(-4, 4, (2,), np.float64)
BOTH = spaces.Dict({"push": spaces.Box(-1, 1, (2,), np.float32), "gears": spaces.MultiDiscrete([3, 4])})


class Buffered(gymnasium.Env[Any, Any]):
    """Writes to the action it is given, and returns one buffer that it writes to again."""

    def __init__(self, action_space: spaces.Space[Any] = PLANE) -> None:
        self.observation_space, self.action_space = PLANE, action_space
        self.buffer = np.zeros(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.buffer[:] = 0
        return self.buffer, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        for part in action.values() if isinstance(action, dict) else [action]:
            part[...] = 0
        self.buffer += 1
        return self.buffer, 0.0, False, self.buffer[0] == 3, {}


class BufferedRows(VectorEnv[Any, Any, Any]):
    """The same as a vector environment of two rows."""

    def __init__(self) -> None:
        self.num_envs, self.metadata = 2, {"autoreset_mode": AutoresetMode.DISABLED}
        self.single_observation_space, self.single_action_space = PLANE, BOTH
        self.buffer = np.zeros((2, 2))
        self.reward, self.end = np.zeros(2), np.zeros(2, bool)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        mask = (options or {}).get("reset_mask", np.ones(2, bool))
        self.buffer[mask] = 0
        mask[:] = False
        return self.buffer, {}

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        for part in action.values():
            part[...] = 0
        self.buffer += 1
        self.reward += 1
        self.end[:] = self.buffer[:, 0] == 3
        return self.buffer, self.reward, self.end, np.zeros(2, bool), {}


class Writer(Agent):
    """Takes the upper corner of every domain; writes to what it sees, and to what it answered before."""

    def __init__(self, action: Tensor) -> None:
        self.action = action

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        obs.fill_(9)
        return Decision(self.action.expand(len(obs), -1), state)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "env",
    [
        Buffered,
        lambda: make(Buffered, envs=3),
        lambda: Buffered(BOTH),
        lambda: SyncVectorEnv([lambda: Buffered(BOTH)] * 2, autoreset_mode=AutoresetMode.DISABLED, copy=False),
        BufferedRows,
    ],
)
def test_the_record_is_not_falsified_by_who_writes_to_arrays(env: Callable[[], Any], dtype: torch.dtype) -> None:
    plain = make(env()).action.size == 2
    action = torch.tensor([4.0, 4.0] if plain else [0, 1, 0, 0, 0, 0, 1, 1.0, 1.0], dtype=dtype)
    for episode in run(Writer(action), env(), Schedule(episodes=4), dtype=dtype).episodes():
        assert episode.arrays["obs"][:, 0].tolist() == [0, 1, 2]
        assert episode.arrays["next_obs"][:, 1].tolist() == [1, 2, 3]
        if plain:
            assert (episode.arrays["action"] == 4).all()
        else:
            assert (episode.arrays["action.push"] == 1).all()
            assert (episode.arrays["action.gears"] == [1, 3]).all()
