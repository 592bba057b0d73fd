"""What agentic is compared with: the loops one writes by hand around Gymnasium, which record nothing.

The drawing loops draw an action and then take the given one, so that every loop over one world sees the same steps and
resets.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

Single = gymnasium.Env[Any, Any]
Vector = VectorEnv[Any, Any, Any]


def single(env: Single, actions: Iterable[int], seed: int) -> None:
    """The shortest loop there is: actions known beforehand."""
    env.reset(seed=seed)
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()


def single_drawing(env: Single, actions: Iterable[int], seed: int) -> None:
    """The loop of the tutorials: each action is drawn from the space."""
    env.reset(seed=seed)
    for action in actions:
        env.action_space.sample()
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()


def several(envs: Sequence[Single], actions: Iterable[Sequence[int]], seeds: Sequence[int]) -> None:
    """Single environments one after the other: nothing but their own steps and resets."""
    for env, seed in zip(envs, seeds, strict=True):
        env.reset(seed=seed)
    for row in actions:
        for env, action in zip(envs, row, strict=True):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()


def vector(env: Vector, actions: Iterable[np.ndarray], seeds: Any) -> None:
    """The shortest loop over a vector environment, which resets itself."""
    env.reset(seed=seeds)
    for action in actions:
        env.step(action)


def vector_drawing(env: Vector, actions: Iterable[np.ndarray], seeds: Any) -> None:
    """The tutorials' loop over a vector environment."""
    env.reset(seed=seeds)
    for action in actions:
        env.action_space.sample()
        env.step(action)


def real_steps(env: Vector, actions: Iterable[np.ndarray], seeds: Any) -> tuple[int, int]:
    """The steps of a vector loop that are no resets in disguise, and the resets (autoreset mode NEXT_STEP)."""
    env.reset(seed=seeds)
    steps, resets, ended = 0, 0, np.zeros(env.num_envs, bool)
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        dummies = int(np.count_nonzero(ended))
        steps, resets = steps + len(ended) - dummies, resets + dummies
        ended = terminated | truncated
    return steps, resets
