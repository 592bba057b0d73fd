"""Small worlds of odd spaces, each with one thing that environments of others have too: `odd_worlds:Text-v0`."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

Space = spaces.Space[Any]
FEW, PICTURE = spaces.Discrete(3), spaces.Box(0, 255, (16, 16, 3), np.uint8)
LINE = spaces.Box(-1, 1, (2,))


class Odd(gymnasium.Env[Any, Any]):
    """A world that shows samples of a space, and pays for the first of its actions."""

    def __init__(self, observation: Space, action: Space) -> None:
        self.observation_space, self.action_space = observation, action

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        paid = float(np.asarray(spaces.flatten(self.action_space, action))[0])
        return self.observation_space.sample(), paid, False, False, {}


WORLDS: dict[str, tuple[Space, Space]] = {
    "DictImage-v0": (spaces.Dict({"image": PICTURE, "place": LINE}), FEW),
    "Tuple-v0": (spaces.Tuple([FEW, LINE, spaces.MultiDiscrete([2, 3])]), spaces.Tuple([FEW, spaces.Discrete(2)])),
    "ManySwitches-v0": (spaces.MultiBinary(40), spaces.MultiBinary(3)),
    "NoLimit-v0": (LINE, FEW),
    "Integers-v0": (spaces.Box(-5, 5, (2,), np.int64), spaces.Box(-2, 2, (1,), np.int32)),
    "Offsets-v0": (spaces.Discrete(6, start=-3), spaces.Discrete(2, start=5)),
    "FlatImage-v0": (spaces.Box(0, 255, (84,), np.uint8), FEW),
    "SmallImage-v0": (PICTURE, FEW),
    "Text-v0": (spaces.Dict({"said": spaces.Text(8), "place": LINE}), FEW),
    "Nested-v0": (spaces.Dict({"a": spaces.Dict({"b": LINE, "c": spaces.Tuple([FEW, LINE])}), "d": FEW}), FEW),
    "Huge-v0": (spaces.Box(-np.inf, np.inf, (200_000,)), spaces.Box(-1, 1, (40,))),
    "ManyActions-v0": (spaces.MultiDiscrete([9, 9]), spaces.MultiDiscrete([30, 30, 30])),
}


def made(**spaces: Space) -> Odd:
    """One of these worlds, of its two spaces."""
    return Odd(**spaces)


for name, (observation, action) in WORLDS.items():
    gymnasium.register(
        name,
        entry_point=made,
        max_episode_steps=None if name.startswith("NoLimit") else 50,
        kwargs={"observation": observation, "action": action},
    )
