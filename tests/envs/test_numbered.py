"""Every observation a number."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from agentic_envs.numbered import NumberObservations


class Pictures(gymnasium.Env[Any, Any]):
    """Shows one of three pictures, with a text."""

    observation_space = spaces.Dict(image=spaces.Box(0, 255, (8, 8, 3), np.uint8), said=spaces.Text(3))
    action_space = spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.shown(0, "a"), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.shown(int(action), "b"), float(action == 2), bool(action == 2), False, {}

    def shown(self, number: int, said: str) -> dict[str, Any]:
        return {"image": np.full((8, 8, 3), number, np.uint8), "said": said}


@pytest.mark.filterwarnings("ignore::agentic.errors.ThirdPartyWarning")
def test_the_same_observation_is_the_same_number_everywhere() -> None:
    one, other = (NumberObservations(Pictures(), count=1000) for _ in range(2))
    assert one.observation_space == spaces.Discrete(1000)
    first = one.reset()[0]
    assert [one.step(action)[0] for action in (0, 1, 2)] == [other.step(action)[0] for action in (0, 1, 2)]
    assert first == one.step(0)[0]  # the text does not count
    assert len({int(one.step(action)[0]) for action in (0, 1, 2)}) == 3


def test_a_count_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="a count of at least 1, got 0"):
        NumberObservations(gymnasium.make("CartPole-v1"), count=0)
