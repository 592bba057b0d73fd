"""A wrapper that shows the end of an episode, for models that tell it by the state that is entered."""

from typing import Any, Self, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.utils import RecordConstructorArgs

AnyEnv = gymnasium.Env[Any, Any]


@final
class ShowEnd(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """A wrapper under which the last observation of an episode that ends says so, and by its sign what was paid last.

    Discrete(n) becomes Discrete(n + 3): ended with a loss, with nothing, with a gain. Whoever sticks in Blackjack sees
    the hand with which others go on: by that alone nobody can tell that it is over, nor learn how such hands end.
    Raises ValueError for other observations.
    """

    @classmethod
    def example(cls) -> Self:
        """The frozen lake, whose holes and goal become two ends, for the conformance kit."""
        return cls(gymnasium.make("FrozenLake-v1"))

    def __init__(self, env: AnyEnv) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, Discrete):
            raise ValueError(f"ShowEnd needs one discrete observation, got {space}: use JoinObservations first.")
        self.observation_space = Discrete(int(space.n) + 3, start=int(space.start))

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        space = self.observation_space
        assert isinstance(space, Discrete)
        last = np.int64(space.start + space.n - 2 + np.sign(float(reward)))
        return last if terminated else observation, reward, terminated, truncated, info
