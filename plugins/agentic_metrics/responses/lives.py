"""Episodes of a sealed agent, side by side in as many copies of a world as episodes are wanted.

Every episode has its own seed, so that two agents with the same seed meet the same worlds, episode by episode.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray

from agentic import Agent, Tick, make, ticks
from agentic_metrics.finite.world import Floats
from agentic_metrics.interventions.simulation import Maker


@final
@dataclass(frozen=True)
class Lives:
    """The course of n episodes: what was seen, returns, lengths and ends.

    `seen` holds the agent's observations of each, (t, *event); `returns` and `lengths` (n,) are undiscounted and in
    steps; `died` (n,) says which were terminated, rather than cut off by a limit.
    """

    seen: tuple[torch.Tensor, ...]
    returns: Floats
    lengths: NDArray[np.int64]
    died: NDArray[np.bool_]


def live(agent: Agent, environment: Maker, *, episodes: int, horizon: int, seed: int) -> Lives:
    """The lives of a sealed copy of `agent` in `episodes` episodes, each cut off after `horizon` steps."""
    happened = watched(agent, environment, episodes=episodes, horizon=horizon, seed=seed)
    valid = np.stack([tick.valid for tick in happened])  # (t, n)
    rewards = np.stack([tick.reward for tick in happened]) * valid
    died = (np.stack([tick.terminated for tick in happened]) & valid).any(0)
    lengths = valid.sum(0)
    seen = torch.stack([tick.obs for tick in happened], 1)  # (n, t, *event)
    return Lives(tuple(seen[i, :n] for i, n in enumerate(lengths)), rewards.sum(0), lengths, died)


def watched(agent: Agent, environment: Maker, *, episodes: int, horizon: int, seed: int) -> list[Tick]:
    """The ticks of `episodes` episodes of a sealed agent, one row each; rows whose episode is over are not valid."""
    world = make([environment() for _ in range(episodes)])
    happened: list[Tick] = []
    try:
        for tick in ticks(agent.sealed(), world, seed=seed, episodes=1, phase="evaluate", accounts=False):
            happened.append(tick)
            if len(happened) == horizon:
                break
    finally:
        world.close()
    return happened
