"""A wrapper that puts things beside a world which nobody sees or pushes: what a discovery must leave out."""

from collections.abc import Mapping
from typing import Any, Self, final

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import ArrayLike

from agentic_envs.planted.springs import Chain

AnyEnv = gymnasium.Env[Any, Any]


@final
class Beside(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """A wrapper that adds a chain of `masses` to the state of the world (`world_state`), and changes nothing else.

    The chain moves as `Chain` says with `physics`, pushed by noise of its own alone; nothing of it reaches the world
    inside, what is seen, or what is paid. The world inside has to offer a mapping as its state.
    """

    @classmethod
    def example(cls) -> Self:
        """A point mass beside three others, for the conformance kit."""
        return cls(gymnasium.make("agentic/PointMass-v0"))

    def __init__(self, env: AnyEnv, masses: int = 3, physics: Mapping[str, float] | None = None) -> None:
        RecordConstructorArgs.__init__(self, masses=masses, physics=physics)
        super().__init__(env)
        self._chain, self._state = Chain(masses, **(physics or {})), np.zeros(2 * masses)
        self._source = np.random.default_rng()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is not None:
            self._source = np.random.default_rng([seed, 1])
        self._state = np.zeros(2 * self._chain.masses)
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._state = self._chain.moved(self._state, np.zeros(self._chain.masses), self._source)
        return self.env.step(action)

    def world_state(self) -> Mapping[str, ArrayLike]:
        """The state of the world inside, and positions and velocities of what is beside it."""
        inside: Mapping[str, ArrayLike] = self.env.get_wrapper_attr("world_state")()
        position, velocity = self._state.reshape(2, -1)
        return {**inside, "beside_position": position, "beside_velocity": velocity}
