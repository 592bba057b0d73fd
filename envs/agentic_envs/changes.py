"""Wrappers that change the world an agent lives in, for any Gymnasium environment.

An agent is not told from a lookup table by its behavior but by what it does when the world changes; these are the
changes: other actions, other physics, fewer sensors, noisier sensors. They record their arguments, so that a spec of
the changed environment can be pickled and made again.
"""

import difflib
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import ArrayLike, NDArray

from agentic import Truth, make

AnyEnv = gymnasium.Env[Any, Any]


@final
class RemapActions(gymnasium.ActionWrapper[Any, Any, Any], RecordConstructorArgs):
    """A wrapper that permutes actions, or turns their signs.

    `order` is a permutation. In a Discrete space action i is executed as `order[i]`. In a one-dimensional Box
    component i drives actuator `order[i]`, multiplied by `signs[i]` (1 or -1, default 1), and the bounds of the
    action space move along. Everything else about the environment stays as it is.
    """

    @classmethod
    def example(cls) -> Self:
        """CartPole with two actions swapped, for the conformance kit."""
        return cls(gymnasium.make("CartPole-v1"), order=[1, 0])

    def __init__(self, env: AnyEnv, order: Sequence[int], signs: Sequence[int] | None = None) -> None:
        RecordConstructorArgs.__init__(self, order=order, signs=signs)
        super().__init__(env)
        space = env.action_space
        if isinstance(space, Discrete):
            size = int(space.n)
        elif isinstance(space, Box) and len(space.shape) == 1:
            size = space.shape[0]
        else:
            raise ValueError(f"RemapActions needs a Discrete or a one-dimensional Box action space, got {space}.")
        if sorted(order) != list(range(size)):
            raise ValueError(f"order must hold each of 0 to {size - 1} once, got {list(order)}: pass a permutation.")
        self.order = np.array(order, dtype=np.int64)
        self.signs = self._signs(signs, size)
        if isinstance(space, Box):
            signed = self.signs.astype(space.dtype)
            ends = np.stack([space.low[self.order] * signed, space.high[self.order] * signed])
            self.action_space = Box(ends.min(axis=0), ends.max(axis=0), dtype=_element_type(space))

    def _signs(self, signs: Sequence[int] | None, size: int) -> NDArray[np.int64]:
        if signs is None:
            return np.ones(size, dtype=np.int64)
        if isinstance(self.env.action_space, Discrete):
            raise ValueError("signs must be None for a Discrete action space, which has no direction: leave it out.")
        if len(signs) != size or any(sign not in (1, -1) for sign in signs):
            raise ValueError(f"signs must be {size} numbers 1 or -1, one per component, got {list(signs)}.")
        return np.array(signs, dtype=np.int64)

    def action(self, action: Any) -> Any:
        space: Any = self.env.action_space
        if isinstance(space, Discrete):
            return space.start + self.order[int(action) - int(space.start)]
        executed = np.empty_like(space.low)
        executed[self.order] = np.asarray(action) * self.signs
        return executed

    def true_model(self) -> Truth:
        """The truth of the environment inside, its actions in the new order."""
        inside = make(self.env).truth()
        return {
            "A": inside["A"],
            "B": [moves[..., self.order] for moves in inside["B"]],
            "D": inside["D"],
            "rewards": inside["rewards"][..., self.order],
            "ends": inside["ends"],
        }


@final
class SetAttributes(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """A wrapper that sets constants of the physics.

    They are attributes of the innermost environment, set once, when it is wrapped.

    `SetAttributes(env, length=1.0, polemass_length=0.1)` gives CartPole a pole twice as long. An attribute derived
    from another is not recomputed (hence both here), and one that is read only at construction changes nothing: pass
    such a one to `gymnasium.make` instead. The environment underneath stays changed.

    An attribute that does not exist, or a value of another type or shape, is refused with ValueError.
    """

    @classmethod
    def example(cls) -> Self:
        """CartPole with a longer pole, for the conformance kit."""
        return cls(gymnasium.make("CartPole-v1"), length=1.0)

    def __init__(self, env: AnyEnv, **attributes: Any) -> None:
        RecordConstructorArgs.__init__(self, **attributes)
        super().__init__(env)
        base = env.unwrapped
        fitted = {name: _fitted(base, name, value) for name, value in attributes.items()}
        for name, value in fitted.items():
            try:
                setattr(base, name, value)
            except AttributeError as error:
                raise ValueError(f"{name} of {type(base).__name__} is computed and cannot be set.") from error

    def true_model(self) -> Truth:
        """The truth of the environment inside, with the constants that were set."""
        return make(self.env).truth()


@final
class HideObservations(gymnasium.ObservationWrapper[Any, Any, Any], RecordConstructorArgs):
    """A wrapper that takes sensors away: a one-dimensional Box keeps the components `keep` alone, in that order."""

    @classmethod
    def example(cls) -> Self:
        """CartPole with no velocities seen, for the conformance kit."""
        return cls(gymnasium.make("CartPole-v1"), keep=[0, 2])

    def __init__(self, env: AnyEnv, keep: Sequence[int]) -> None:
        RecordConstructorArgs.__init__(self, keep=keep)
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, Box) or len(space.shape) != 1:
            raise ValueError(f"HideObservations needs a one-dimensional Box observation space, got {space}.")
        size = space.shape[0]
        if not len(keep) or len(set(keep)) < len(keep) or not all(0 <= index < size for index in keep):
            raise ValueError(f"keep must hold different indices from 0 to {size - 1}, at least one, got {list(keep)}.")
        self.keep = np.array(keep, dtype=np.int64)
        self.observation_space = Box(space.low[self.keep], space.high[self.keep], dtype=_element_type(space))

    def observation(self, observation: Any) -> Any:
        return observation[self.keep]


@final
class SensorNoise(gymnasium.ObservationWrapper[Any, Any, Any], RecordConstructorArgs):
    """A wrapper that makes sensors noisy.

    Gaussian noise is added to a Box observation, which then saturates at the bounds of the space.

    `scale` is the standard deviation, one number or one per component (anything that broadcasts to the observation).
    The noise has its own stream, spawned from the environment's generator at each seeded reset: the same seed gives
    the same noise, and the world underneath runs exactly as it does without it.
    """

    @classmethod
    def example(cls) -> Self:
        """CartPole with a little noise, for the conformance kit."""
        return cls(gymnasium.make("CartPole-v1"), scale=0.01)

    def __init__(self, env: AnyEnv, scale: float | Sequence[float]) -> None:
        RecordConstructorArgs.__init__(self, scale=scale)
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, Box) or not np.issubdtype(space.dtype, np.floating):
            raise ValueError(f"SensorNoise needs a Box observation space of floats, got {space}.")
        self.scale = np.asarray(scale, dtype=np.float64)
        if not _broadcasts(self.scale, space.shape) or not (self.scale >= 0).all():
            raise ValueError(f"scale must be numbers of at least 0 that broadcast to {space.shape}, got {scale}.")
        self._low, self._high, self._dtype = space.low, space.high, _element_type(space)
        self._noise: np.random.Generator | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        if seed is not None:
            self._noise = None
        return self.observation(observation), info

    def observation(self, observation: Any) -> Any:
        if self._noise is None:
            self._noise = self.np_random.spawn(1)[0]  # does not advance the environment's own stream
        noisy = observation + self.scale * self._noise.standard_normal(np.shape(observation))
        return np.clip(noisy.astype(self._dtype), self._low, self._high)


def _element_type(space: Box) -> Any:
    """The element type of a Box, in a form that its constructor takes."""
    return space.dtype.type


def _broadcasts(array: NDArray[Any], shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        return False


def _fitted(base: AnyEnv, name: str, value: Any) -> Any:
    """`value` in the type that `base` has under `name`; ValueError if there is none or it does not fit."""
    owner = type(base).__name__
    if not hasattr(base, name):
        known = [key for key in dir(base) if not key.startswith("_") and not callable(getattr(base, key))]
        near = difflib.get_close_matches(name, known, n=3) or sorted(known)
        raise ValueError(f"{owner} has no attribute {name!r}: use one of its own, such as {', '.join(near)}.")
    current: Any = getattr(base, name)
    if current is None or type(value) is type(current) is not np.ndarray:
        return value
    if isinstance(current, np.ndarray):
        return _fitted_array(owner, name, current, value)
    convert: Any = type(current)
    for kind, accepted in ((bool, bool), (Integral, Integral), (Real, Real), (tuple, list)):
        if isinstance(current, kind):
            if isinstance(value, accepted) and isinstance(value, bool) == (kind is bool):
                return convert(value)
            break
    raise ValueError(
        f"{name} of {owner} must be of type {type(current).__name__} as it is now ({current!r}), "
        f"got {value!r} of type {type(value).__name__}: pass a value of that type."
    )


def _fitted_array(owner: str, name: str, current: NDArray[Any], value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    if array.shape != current.shape or not np.can_cast(array.dtype, current.dtype, casting="same_kind"):
        raise ValueError(
            f"{name} of {owner} must be an array of shape {current.shape} and type {current.dtype}, got shape "
            f"{array.shape} and type {array.dtype}: pass values of that form."
        )
    return array.astype(current.dtype)
