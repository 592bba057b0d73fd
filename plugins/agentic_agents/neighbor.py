"""A nearest-neighbor policy: what was done at the most similar observation."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from agentic import Decision, Domain, Simplex, Tick
from agentic_agents.lookup import drawn, fixed

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Neighbor:
    """Actions (n, *event) by what was seen, nearest first; each component of an observation in units of its sd.

    `tree` holds the n different observations, divided by `scale`. What was done in one observation is averaged: of a
    single choice, that is its policy there.
    """

    tree: Any
    scale: Floats
    actions: Tensor
    action: Domain

    @classmethod
    def of(cls, happening: Iterable[Tick], action: Domain) -> Self:
        """The table of what an agent did, from its ticks."""
        pairs = [(tick.obs[tick.valid], tick.action[tick.valid]) for tick in happening]
        seen, done = (torch.cat(each).to(torch.float64) for each in zip(*pairs, strict=True))
        points, place, times = np.unique(seen.numpy(), axis=0, return_inverse=True, return_counts=True)
        sums = torch.zeros(len(points), done.shape[-1], dtype=torch.float64)
        sums.index_add_(0, torch.from_numpy(place.reshape(-1)), done)
        spread = seen.numpy().std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        return cls(cKDTree(points / scale), scale, sums / torch.from_numpy(times)[:, None], action)

    def decide(self, obs: Tensor, generator: torch.Generator) -> Decision:
        _, nearest = self.tree.query(obs.double().numpy() / self.scale)
        actions = self.actions[torch.from_numpy(nearest)]
        if isinstance(self.action, Simplex) and len(self.action.sizes) == 1:
            return drawn(actions, obs, generator)
        return fixed(self.action.project(actions), self.action, obs)
