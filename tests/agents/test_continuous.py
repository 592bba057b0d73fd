"""What is proposed for worlds of numbers: a model and what is to come, learned from scratch."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from agentic import Environment, Experiment, load, make
from agentic.experiments.build import build
from agentic_agents.continuous import continuous
from agentic_agents.defaults import proposal


class Plain(gymnasium.Env[np.ndarray, np.ndarray]):
    """Numbers of the given sizes that stay 0, for 30 steps."""

    def __init__(self, size: int = 3, low: float = -1.0, **_: Any) -> None:
        self.size = size
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (size,))
        self.action_space = gymnasium.spaces.Box(low, 1.0, (2,))
        self.t = 0

    def reset(self, *, seed: int | None = None, options: object = None) -> tuple[np.ndarray, dict[str, object]]:
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(self.size, np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, object]]:
        self.t += 1
        return np.full(self.size, 0.1 * self.t, np.float32), 1.0, False, self.t >= 30, {}


def given(**kwargs: Any) -> Environment:
    gymnasium.register("Plain-v0", Plain, kwargs=kwargs)
    return make("Plain-v0")


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "Acrobot-v1", "MountainCarContinuous-v0"])
def test_worlds_of_classic_control_have_their_documented_goal(name: str) -> None:
    found = proposal(make(name))
    assert found is not None
    assert found.tables["goal"] == {"name": "documented"}
    assert "its documented reward and ends" in found.reason


@pytest.mark.filterwarnings("ignore:.*Overriding environment")
def test_rewards_and_ends_of_others_are_learned() -> None:
    found = proposal(given())
    assert found is not None
    assert found.tables["goal"] == {"name": "predicted_reward"}
    assert found.tables["model"] == {"name": "ensemble", "reward": True, "mortal": True}
    short = {"learn": {"steps": 60, "warmup": 30}, "evaluate": {"episodes": 1}, "learner": {"name": "imagination"}}
    tables = {**found.tables, **short, "env": {"id": "Plain-v0"}}
    less = ["learner.first=30", "learner.sweeps=2", "learner.updates=20"]
    record = build(Experiment.of(tables, less), load()).run()
    assert record.returns().tolist() == [30.0]


@pytest.mark.filterwarnings("ignore:.*Overriding environment")
@pytest.mark.parametrize("kwargs", [{"size": 200}, {"low": -np.inf}])
def test_what_is_too_large_or_unbounded_is_left_to_chance(kwargs: dict[str, Any]) -> None:
    assert continuous(given(**kwargs)) is None
    found = proposal(given(**kwargs))
    assert found is not None
    assert found.tables["agent"] == {"name": "random"}
