"""Discrete observations joined in one."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import agentic_envs
from agentic import make
from agentic_envs.joined import JoinObservations

assert agentic_envs


class Seen(gymnasium.Env[Any, Any]):
    """Always shows the same."""

    action_space = spaces.Discrete(2)

    def __init__(self, space: spaces.Space[Any], shown: Any) -> None:
        self.observation_space, self.shown = space, shown

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.shown, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.shown, 0.0, True, False, {}


@pytest.mark.parametrize(
    ("space", "shown", "size", "joined"),
    [
        (spaces.Discrete(5, start=2), 4, 5, 2),
        (spaces.Tuple([spaces.Discrete(32), spaces.Discrete(11), spaces.Discrete(2)]), (20, 3, 1), 704, 20 * 22 + 7),
        (spaces.MultiDiscrete([3, 4], start=[1, 0]), np.array([3, 2]), 12, 10),
        (spaces.MultiBinary(3), np.array([1, 0, 1], np.int8), 8, 5),
        (spaces.Dict(a=spaces.Discrete(2), b=spaces.MultiBinary(2)), {"a": 1, "b": np.array([1, 1], np.int8)}, 8, 7),
    ],
)
def test_one_number_for_all(space: spaces.Space[Any], shown: Any, size: int, joined: int) -> None:
    env = JoinObservations(Seen(space, shown))
    assert env.observation_space == spaces.Discrete(size)
    assert env.reset()[0] == env.step(0)[0] == joined


def test_every_observation_of_blackjack_is_one_of_704() -> None:
    env = JoinObservations(gymnasium.make("Blackjack-v1"))
    seen = {int(env.reset(seed=seed)[0]) for seed in range(200)}
    assert len(seen) > 80
    assert all(0 <= each < 704 for each in seen)
    assert make(env).observation.size == 704


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1"])
def test_what_is_continuous_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="JoinObservations needs discrete observations"):
        JoinObservations(gymnasium.make(id))


def test_what_has_no_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="is not supported"):
        JoinObservations(Seen(spaces.Text(3), "abc"))
