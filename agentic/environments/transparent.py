"""Gymnasium's own wrappers through which an agent meets the world that is inside, unchanged.

They are told by their exact type: whatever else wraps an environment, a class derived from one of these included, may
change actions, chance, rewards, ends or observations, and is not looked through.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium.wrappers.vector as vectors
from gymnasium import wrappers
from gymnasium.vector import VectorEnv, VectorWrapper

KEEPING = frozenset(
    {
        wrappers.TimeLimit,  # truncates alone: where a run is cut says nothing about the world
        wrappers.OrderEnforcing,  # refuses a step before the first reset
        wrappers.PassiveEnvChecker,  # looks and warns
        wrappers.RecordEpisodeStatistics,  # writes into info
        wrappers.Autoreset,  # acts where a step follows an end, and a run resets before that
        wrappers.RecordVideo,  # these look at pictures, which are not what is observed
        wrappers.RenderCollection,
        wrappers.HumanRendering,
        wrappers.AddWhiteNoise,
        wrappers.ObstructView,
    }
)
VECTORS_KEEPING = frozenset(
    {vectors.RecordEpisodeStatistics, vectors.DictInfoToList, vectors.RecordVideo, vectors.HumanRendering}
)


def rows_of(env: VectorEnv[Any, Any, Any]) -> Sequence[Any]:
    """The single environments of a vector environment, where nothing around them may change what an agent meets.

    Elsewhere, and where there are none to be had, the outermost layer that is not looked through stands alone.
    """
    while isinstance(env, VectorWrapper) and type(env) in VECTORS_KEEPING:
        env = env.env
    inside: Sequence[Any] = [env] if isinstance(env, VectorWrapper) else getattr(env, "envs", [env])
    return inside
