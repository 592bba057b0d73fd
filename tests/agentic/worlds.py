"""Small deterministic environments for the tests of the loop."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Walk(gymnasium.Env[Any, Any]):
    """Adds the action to a position drawn at the reset; ends at +3 and is cut off after five steps."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, trouble: str = "", at: int = 3) -> None:
        self.trouble, self.at = trouble, at
        self.resets = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.resets += 1
        self.x, self.clock = float(self.np_random.uniform()), 0
        return self._obs(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.x, self.clock = self.x + action, self.clock + 1
        obs: Any = self._obs()
        reward = self.x
        if self.clock == self.at:
            if self.trouble == "raise":
                raise ZeroDivisionError("the motor is\nbroken")
            if self.trouble == "interrupt":
                raise KeyboardInterrupt
            broken: dict[str, Any] = {"nan": obs * np.nan, "shape": np.zeros(3, np.float32)}
            obs = broken.get(self.trouble, obs)
            reward = np.inf if self.trouble == "reward" else reward
        return obs, reward, self.x >= 3, self.clock >= 5, {}

    def _obs(self) -> np.ndarray:
        return np.array([self.x, self.clock], np.float32)


class Echo(gymnasium.Env[Any, Any]):
    """Observes a sample of one space and takes actions of another; every episode lasts four steps."""

    def __init__(self, observation: spaces.Space[Any], action: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observation, action
        self.seen: list[Any] = []
        self.done: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.clock = 0
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        self.done.append(action)
        self.clock += 1
        return self._obs(), 1.0, False, self.clock == 4, {}

    def _obs(self) -> Any:
        self.seen.append(self.observation_space.sample())
        return self.seen[-1]
