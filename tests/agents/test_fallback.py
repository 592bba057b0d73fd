"""What is proposed for worlds that no model of ours learns."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from agentic import Proposal, make
from agentic_agents.defaults import proposal
from agentic_agents.fallback import different
from agentic_agents.limits import limit_of

Space = spaces.Space[Any]


class Shown(gymnasium.Env[Any, Any]):
    """A world of any spaces, which shows one of so many samples of its own."""

    def __init__(self, observation: Space, action: Space, few: int = 0) -> None:
        self.observation_space, self.action_space = observation, action
        observation.seed(0)
        self.samples = [observation.sample() for _ in range(few)]

    def shown(self) -> Any:
        few = len(self.samples)
        return self.samples[self.np_random.integers(few)] if few else self.observation_space.sample()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.shown(), 1.0, False, False, {}


PICTURE = spaces.Box(0, 255, (16, 16, 3), np.uint8)


def proposed(observation: Space, action: Space, few: int = 0) -> Proposal:
    world = gymnasium.wrappers.TimeLimit(Shown(observation, action, few), 20)
    found = proposal(make(world))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("observation", "action", "said"),
    [
        (PICTURE, spaces.Discrete(2), "its 770 numbers are more than the 64"),
        (spaces.Dict(image=PICTURE, place=spaces.Discrete(3)), spaces.Discrete(2), "its 773 numbers are more"),
        (
            spaces.MultiBinary(40),
            spaces.Discrete(2),
            "its 1,099,511,627,776 joint observations are more",
        ),
        (spaces.Discrete(81), spaces.MultiDiscrete([30, 30, 30]), "its 81 joint observations and 27,000 joint actions"),
        (spaces.Box(-1, 1, (2,)), spaces.Box(-np.inf, np.inf, (2,)), "its actions are neither bounded numbers alone"),
    ],
)
def test_what_is_too_much_is_left_to_chance_and_said(observation: Space, action: Space, said: str) -> None:
    found = proposed(observation, action)
    assert found.score == 0.1
    assert found.reason.startswith(said)
    assert "it acts at random" in found.reason
    assert found.tables["agent"] == {"name": "random"}


def test_few_pictures_are_numbered_and_learned() -> None:
    found = proposed(PICTURE, spaces.Discrete(2), few=12)
    assert "12 different observations were met, which are numbered" in found.reason
    assert [each["name"] for each in found.tables["env"]["changes"]] == ["number_observations", "show_end"]
    assert found.tables["learn"]["steps"] == 6_000
    assert found.tables["model"]["name"] == "categorical"


def test_different_observations_are_counted_as_long_as_they_are_few() -> None:
    counts = []
    for few in (12, 101):
        world = make(gymnasium.wrappers.TimeLimit(Shown(PICTURE, spaces.Discrete(2), few), 20))
        counts.append(different(world, limit_of(world)))
    assert counts == [12, 0]
