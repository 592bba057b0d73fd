"""Worlds that show whatever their space has, and what they showed, for tests of what a replay says of it."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import register

Space = spaces.Space[Any]


class Sampled(gymnasium.Env[Any, Any]):
    """A world of a few steps whose observations are samples of a space; `seen` holds them all, of all such worlds."""

    seen: list[Any] = []  # noqa: RUF012

    def __init__(self, space: Space, action: Space | None = None, steps: int = 3) -> None:
        self.observation_space, self.steps = space, steps
        self.action_space = action or spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        self.t = 0
        return self._look(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return self._look(), 0.5, self.t >= self.steps, False, {}

    def _look(self) -> Any:
        found = self.observation_space.sample()
        self.seen.append(found)
        return found


class Drawn(gymnasium.Env[Any, Any]):
    """A world that draws a bar which moves on by one place with each step, and shows where it is."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012

    def __init__(self, steps: int = 500, render_mode: str | None = None) -> None:
        self.observation_space = spaces.Dict({"place": spaces.Box(0, 1e6, (1,), np.float32), "says": spaces.Text(40)})
        self.action_space, self.steps, self.render_mode = spaces.Discrete(2), steps, render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._look(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return self._look(), 1.0, False, self.t >= self.steps, {}

    def _look(self) -> Any:
        return {"place": np.array([self.t], np.float32), "says": f"step{self.t}"}

    def render(self) -> Any:
        """The number of the step in ten columns, one for each bit, the last one to the right."""
        bits = [self.t >> (9 - place) & 1 for place in range(10)]
        row = np.array([[255, 200, 0] if bit else [20, 40, 80] for bit in bits], np.uint8)
        return np.broadcast_to(row.repeat(60, 0), (400, 600, 3))


def registered() -> str:
    """The id of `Drawn` as an installed world has one."""
    if "tests/Drawn-v0" not in gymnasium.registry:
        register("tests/Drawn-v0", entry_point="tests.report.seeing:Drawn", max_episode_steps=10_000)
    return "tests/Drawn-v0"


def leaves(value: Any, name: str = "") -> dict[str, np.ndarray]:
    """The numbers of what was seen, by the dotted names of its leaves, without texts."""
    if isinstance(value, dict | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        parts = [leaves(part, f"{name}.{key}" if name else str(key)) for key, part in pairs]
        return {key: part for found in parts for key, part in found.items()}
    return {} if isinstance(value, str) else {name: np.asarray(value)}
