"""Changes of a world that nobody knows from within, drawn at random: other sensors, actuators and constants.

Each is drawn for an environment, and is a wrapper of such environments; None where it has nothing to change.
"""

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from agentic import load
from agentic_metrics.interventions.known import permutation
from agentic_metrics.interventions.simulation import AnyEnv

Wrapping = tuple[str, Callable[[AnyEnv], AnyEnv]]

CONSTANTS = re.compile(r"^(g|m|l)$|gravity|mass|length|force|power", re.IGNORECASE)
WARMUP = 200  # random steps whose observations give sensor noise its scale


def _actuators(env: AnyEnv, generator: np.random.Generator) -> Wrapping | None:
    space, wrapper = env.action_space, _wrapper("remap_actions")
    if isinstance(space, Discrete):
        order = permutation(int(space.n), generator)
        return None if order is None else (f"remap {order}", partial(wrapper, order=order))
    if isinstance(space, Box) and len(space.shape) == 1:
        signs = _signs(space, generator)
        order = list(range(space.shape[0]))
        return None if signs is None else (f"reverse actuators {signs}", partial(wrapper, order=order, signs=signs))
    return None


def _sensors(env: AnyEnv, generator: np.random.Generator) -> Wrapping | None:
    space = env.observation_space
    if not isinstance(space, Box) or not np.issubdtype(space.dtype, np.floating):
        return None
    signs = _signs(space, generator)
    if signs is None:
        return None
    flip = np.array(signs, dtype=space.dtype).reshape(space.shape)
    wrap = partial(gymnasium.wrappers.TransformObservation, func=lambda seen: seen * flip, observation_space=space)
    return f"reverse sensors {signs}", wrap


def _sensor_noise(env: AnyEnv, generator: np.random.Generator) -> Wrapping | None:
    space = env.observation_space
    if not isinstance(space, Box) or not np.issubdtype(space.dtype, np.floating):
        return None
    share = float(generator.uniform(0.1, 0.5))
    scale = share * _spread(env, int(generator.integers(2**31)))
    return f"noise {share:.2f} sd", partial(_wrapper("sensor_noise"), scale=scale.tolist())


def _constants(env: AnyEnv, generator: np.random.Generator) -> Wrapping | None:
    base = env.unwrapped
    names = [name for name in dir(type(base)) + sorted(vars(base)) if CONSTANTS.search(name)]
    values = {name: getattr(base, name) for name in names if isinstance(getattr(base, name), float)}
    if not values:
        return None
    name = str(generator.choice(sorted(values)))
    factor = float(np.exp(generator.uniform(np.log(0.5), np.log(2.0))))
    return f"{name} x {factor:.2f}", partial(_wrapper("set_attributes"), **{name: factor * values[name]})


def _signs(space: Box, generator: np.random.Generator) -> list[int] | None:
    """Some of the components whose bounds are symmetric reversed, at least one; None where none is."""
    free = np.flatnonzero(space.low.ravel() == -space.high.ravel())
    if not len(free):
        return None
    signs = np.ones(space.low.size, dtype=np.int64)
    signs[free[generator.random(len(free)) < 0.5]] = -1
    if (signs == 1).all():
        signs[generator.choice(free)] = -1
    return [int(sign) for sign in signs]


def _spread(env: AnyEnv, seed: int) -> Any:
    """Standard deviation of each component of what is seen during random actions."""
    env.action_space.seed(seed)
    seen = [env.reset(seed=seed)[0]]
    for _ in range(WARMUP):
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(env.reset()[0] if terminated or truncated else observation)
    return np.std(seen, axis=0, dtype=np.float64)


@cache
def _wrapper(name: str) -> Any:
    return load().resolve("envs", name)


WRAPPED: dict[str, Callable[..., Wrapping | None]] = {
    "remap": _actuators,
    "sensors": _sensors,
    "noise": _sensor_noise,
    "constants": _constants,
}
