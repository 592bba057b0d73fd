"""Seeds that environments ignore are told by the leaf where it shows, with few steps."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from agentic.testing.environments import ignores_seed


class Leaky(gymnasium.Env[Any, Any]):
    """Holds chance of its own in one part of what it returns, from some step on."""

    observation_space = spaces.Dict(
        {"arm": spaces.Dict({"angle": spaces.Box(-9, 9, (2,), np.float64)}), "gear": spaces.Discrete(9)}
    )
    action_space = spaces.Discrete(2)

    def __init__(self, part: str = "", since: int = 0) -> None:
        self.part, self.since, self.own, self.steps = part, since, 0, 0

    def _drawn(self, part: str) -> int:
        self.own += part == self.part
        return self.own % 7 if part == self.part and self.clock >= self.since else 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.clock, self.start = 0, self.np_random.normal(size=2)
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.clock, self.steps = self.clock + 1, self.steps + 1
        ended = self.clock + self._drawn("end") >= 5
        return self._seen(), float(self._drawn("reward")), ended, False, {}

    def _seen(self) -> Any:
        return {"arm": {"angle": self.start + self._drawn("angle")}, "gear": self._drawn("gear")}


@pytest.mark.parametrize(
    ("part", "since", "said"),
    [
        ("angle", 0, "differ in the observation['arm']['angle'], at once: draw from self.np_random only"),
        ("gear", 0, "differ in the observation['gear'], at once"),
        ("gear", 2, "differ in the observation['gear'], after 2 equal actions"),
        ("reward", 1, "differ in the reward, after 1 equal actions"),
        ("", 0, ""),
    ],
)
def test_the_leaf_is_named(part: str, since: int, said: str) -> None:
    env = Leaky(part, since)
    found = ignores_seed(env)
    assert said in found
    assert bool(found) == bool(said)
    assert "\n" not in found
    assert env.steps <= 6


def test_an_episode_that_ends_at_another_step_is_noticed() -> None:
    env = Leaky("end", 1)
    assert "differ in terminated or truncated" in ignores_seed(env, steps=6)


@pytest.mark.parametrize("id", ["CartPole-v1", "FrozenLake-v1", "Blackjack-v1"])
def test_gymnasiums_own_are_sound(id: str) -> None:
    assert ignores_seed(gymnasium.make(id)) == ""
