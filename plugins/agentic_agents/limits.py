"""How long an episode may be, as far as anybody says."""

from typing import Any

import gymnasium

from agentic import Environment

LIMIT = 1000  # steps of an episode where nobody says how many


def limit_of(environment: Environment) -> int:
    """The number of steps after which an episode is cut, as far as wrappers or the world itself say."""
    env, found = environment.copies()(), list[Any]()
    while isinstance(env, gymnasium.Wrapper):
        found.append(getattr(env, "_max_episode_steps", None))
        env = env.env
    found += [getattr(env, "steps", None), getattr(env, "max_steps", None)]  # ours, and those of MiniGrid
    return min((limit for limit in found if isinstance(limit, int) and limit > 0), default=LIMIT)
