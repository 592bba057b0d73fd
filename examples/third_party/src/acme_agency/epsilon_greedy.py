"""Exploration by chance (Sutton and Barto 2018, section 2.2)."""

from dataclasses import dataclass
from math import inf
from typing import final

import torch
from torch import Tensor

from agentic import Belief, Domain, Selection, UserError


@final
@dataclass(frozen=True)
class EpsilonGreedy(Selection):
    """The best action, but with probability `epsilon` one drawn uniformly."""

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon <= 1:
            raise UserError(f"expected epsilon in [0, 1], got {self.epsilon}")

    @property
    def precision(self) -> float:
        return inf

    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        best = domain.project(policy.mode)
        other = domain.draw(len(best), generator=generator, dtype=best.dtype)
        explore = torch.rand(len(best), generator=generator) < self.epsilon
        return torch.where(explore.view(-1, *[1] * (best.dim() - 1)), other, best)
