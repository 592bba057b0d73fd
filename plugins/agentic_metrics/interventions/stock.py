"""Random changes of an environment whose dynamics are not known: other sensors, actuators and constants.

Each is drawn for an environment, and is a wrapper of such environments; None where it has nothing to change. The
wrappers are Gymnasium's own or written here, so that a measurement depends on no other plugin.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.wrappers import TransformAction, TransformObservation

from agentic_metrics.finite.world import Floats
from agentic_metrics.interventions.known import permutation
from agentic_metrics.interventions.simulation import AnyEnv, Wrapping

CONSTANTS = re.compile(r"^(g|m|l)$|gravity|mass|length|force|power", re.IGNORECASE)
WARMUP = 200  # random steps whose observations give sensor noise its scale


def _actuators(env: AnyEnv, generator: np.random.Generator) -> Wrapping | None:
    space = env.action_space
    if isinstance(space, Discrete):
        order, first = permutation(int(space.n), generator), int(space.start)
        if order is None:
            return None
        executed = first + np.array(order)
        wrap = partial(TransformAction, func=lambda action: executed[int(action) - first], action_space=None)
        return f"remap {order}", wrap
    signs = _signs(space, generator) if isinstance(space, Box) and len(space.shape) == 1 else None
    if signs is None:
        return None
    return f"reverse actuators {signs}", partial(TransformAction, func=_reversal(space, signs), action_space=None)


def _sensors(env: AnyEnv, generator: np.random.Generator) -> Wrapping | None:
    space = env.observation_space
    signs = _signs(space, generator) if _measured(space) else None
    if signs is None:
        return None
    wrap = partial(TransformObservation, func=_reversal(space, signs), observation_space=None)
    return f"reverse sensors {signs}", wrap


def _sensor_noise(env: AnyEnv, generator: np.random.Generator) -> Wrapping | None:
    if not _measured(env.observation_space):
        return None
    share = float(generator.uniform(0.1, 0.5))
    scale = share * _spread(env, int(generator.integers(2**31)))
    return f"noise {share:.2f} sd", partial(_Noisy, scale=scale)


def _constants(env: AnyEnv, generator: np.random.Generator) -> Wrapping | None:
    base = env.unwrapped
    names = [name for name in dir(type(base)) + sorted(vars(base)) if CONSTANTS.search(name)]
    values = {name: getattr(base, name) for name in names if isinstance(getattr(base, name), float)}
    if not values:
        return None
    name = str(generator.choice(sorted(values)))
    factor = float(np.exp(generator.uniform(np.log(0.5), np.log(2.0))))
    return f"{name} x {factor:.2f}", partial(_having, name=name, value=factor * values[name])


def _measured(space: gymnasium.Space[Any]) -> bool:
    return isinstance(space, Box) and np.issubdtype(space.dtype, np.floating)


def _signs(space: Any, generator: np.random.Generator) -> list[int] | None:
    """Some of the components whose bounds are symmetric reversed, at least one; None where none is."""
    free = np.flatnonzero(space.low.ravel() == -space.high.ravel())
    if not len(free):
        return None
    signs = np.ones(space.low.size, dtype=np.int64)
    signs[free[generator.random(len(free)) < 0.5]] = -1
    if (signs == 1).all():
        signs[generator.choice(free)] = -1
    return [int(sign) for sign in signs]


def _reversal(space: Any, signs: list[int]) -> Callable[[Any], Any]:
    flip = np.array(signs, dtype=space.dtype).reshape(space.shape)
    return lambda values: values * flip


def _spread(env: AnyEnv, seed: int) -> Floats:
    """Standard deviation of each component of what is seen during random actions."""
    env.action_space.seed(seed)
    seen = [env.reset(seed=seed)[0]]
    for _ in range(WARMUP):
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(env.reset()[0] if terminated or truncated else observation)
    return np.asarray(np.std(seen, axis=0, dtype=np.float64))


@final
class _Noisy(gymnasium.ObservationWrapper[Any, Any, Any]):
    """An environment with normal noise of deviations `scale` on what is seen, within the bounds of its space.

    The noise has its own stream, spawned from the environment's generator at each seeded reset.
    """

    def __init__(self, env: AnyEnv, scale: Floats) -> None:
        super().__init__(env)
        self.scale = scale
        self.noise: np.random.Generator | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is not None:
            self.noise = None
        return super().reset(seed=seed, options=options)

    def observation(self, observation: Any) -> Any:
        if self.noise is None:
            self.noise = self.np_random.spawn(1)[0]  # does not advance the environment's own stream
        space: Any = self.observation_space
        noisy = observation + self.scale * self.noise.standard_normal(space.shape)
        return np.clip(noisy.astype(space.dtype), space.low, space.high)


def _having(env: AnyEnv, name: str, value: float) -> AnyEnv:
    """The environment itself, with another constant."""
    setattr(env.unwrapped, name, value)
    return env


WRAPPED: dict[str, Callable[..., Wrapping | None]] = {
    "remap": _actuators,
    "sensors": _sensors,
    "noise": _sensor_noise,
    "constants": _constants,
}
