"""A wrapper that gives every observation a number, for models that count what they see."""

from typing import Any, Self, final
from zlib import crc32

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.utils import RecordConstructorArgs

from agentic import make
from agentic.errors import UserError

AnyEnv = gymnasium.Env[Any, Any]


@final
class NumberObservations(gymnasium.ObservationWrapper[Any, Any, Any], RecordConstructorArgs):
    """A wrapper under which every observation, a picture say, is one of `count` numbers: a hash of it.

    It is the same number in every copy and in every run. Of n different observations about n^2 / (2 count) pairs get
    the same number: take a count far above n^2 where they must be told apart. Text does not count. Raises ValueError
    for a count below 1 and for observations that agents cannot be shown.
    """

    @classmethod
    def example(cls) -> Self:
        """The T-maze, whose few observations become few of a thousand numbers, for the conformance kit."""
        return cls(gymnasium.make("agentic/TMaze-v0"), count=1000)

    def __init__(self, env: AnyEnv, count: int) -> None:
        RecordConstructorArgs.__init__(self, count=count)
        super().__init__(env)
        if count < 1:
            raise ValueError(f"NumberObservations needs a count of at least 1, got {count}.")
        try:
            self._layout = make(env).observation_layout
        except UserError as error:
            raise ValueError(str(error)) from None
        self.observation_space, self._count = Discrete(count), count

    def observation(self, observation: Any) -> np.int64:
        arrays = self._layout.empty(1)
        self._layout.store(arrays, 0, observation)
        return np.int64(crc32(b"".join(array.tobytes() for array in arrays)) % self._count)
