"""Selections: rules by which an action is taken from a plan."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Categorical
from agentic.engine.domain import Domain
from agentic.errors import UserError


class Selection(ABC):
    """A rule by which an action is taken from a plan: the precision that weighs plans, and whether one is drawn."""

    @property
    @abstractmethod
    def precision(self) -> float:
        """The precision of q(plan) = softmax(-precision G + log E)."""

    @abstractmethod
    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        """The action as executed, on the action space, (b, *event)."""


@final
@dataclass(frozen=True)
class Greedy(Selection):
    """The best plan's first action. Equally good plans share the policy evenly; the action is the lowest index."""

    @property
    def precision(self) -> float:
        return inf

    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        return domain.project(policy.mode)


@final
@dataclass(frozen=True)
class Softmax(Selection):
    """An action drawn from the marginal of q(plan) = softmax(-precision G + log E)."""

    precision: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.precision < inf:
            raise UserError(f"softmax selection expects a finite precision >= 0, got {self.precision}: use greedy")

    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        drawn = policy.sample(1, generator)[0]
        return drawn if isinstance(policy, Categorical) else domain.project(drawn)
