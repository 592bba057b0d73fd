"""A wrapper that makes one discrete observation of several, for models whose state is what is observed."""

from math import prod
from typing import Any, Self, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.utils import RecordConstructorArgs

from agentic import Simplex, Truth, make
from agentic.environments import layout, without_text
from agentic.errors import UserError

AnyEnv = gymnasium.Env[Any, Any]


@final
class JoinObservations(gymnasium.ObservationWrapper[Any, Any, Any], RecordConstructorArgs):
    """A wrapper that joins discrete observations, however nested, in one, the last varying fastest.

    A Tuple, Dict or MultiDiscrete of sizes n, m, ... becomes Discrete(n * m * ...). Raises ValueError for observations
    that are not all discrete.
    """

    @classmethod
    def example(cls) -> Self:
        """The T-maze, whose place and outcome become one, for the conformance kit."""
        return cls(gymnasium.make("agentic/TMaze-v0"))

    def __init__(self, env: AnyEnv) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        try:
            self._layout = layout(without_text(env.observation_space)[0], "the observation space")
        except UserError as error:
            raise ValueError(str(error)) from None
        domain = self._layout.domain
        if not isinstance(domain, Simplex):
            raise ValueError(f"JoinObservations needs discrete observations, got {env.observation_space}.")
        self._sizes = domain.sizes
        self.observation_space = Discrete(prod(self._sizes))

    def observation(self, observation: Any) -> np.int64:
        arrays = self._layout.empty(1)
        self._layout.store(arrays, 0, observation)
        pairs = zip(self._layout.leaves, arrays, strict=True)
        places = np.concatenate([np.ravel(array) - np.ravel(leaf.start) for leaf, array in pairs])
        return np.int64(np.ravel_multi_index(tuple(places.tolist()), self._sizes))

    def true_model(self) -> Truth:
        """The truth of the environment inside, its modalities joined."""
        inside = make(self.env).truth()
        joint, *others = inside["A"]
        for levels in others:
            joint = (joint[:, None] * levels[None]).reshape(-1, *levels.shape[1:])
        return {"A": [joint], "B": inside["B"], "D": inside["D"], "rewards": inside["rewards"], "ends": inside["ends"]}
