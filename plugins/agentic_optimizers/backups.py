"""Backups of a tree search: the value of a belief by the actions that the agent assumes it will take there."""

from dataclasses import dataclass
from math import inf
from typing import final

import torch
from torch import Tensor

from agentic import Backup, UserError
from agentic.planning import plan_posterior


def _positive(owner: str, precision: float) -> None:
    if not 0 < precision < inf:
        raise UserError(f"{owner} expects a precision > 0 and finite, got {precision}")


@final
@dataclass(frozen=True)
class MeanUnderSoftmax(Backup):
    """The mean under softmax(-precision G + log E): sophisticated inference (Friston et al. 2021; SPM, pymdp)."""

    precision: float = 1.0

    def __post_init__(self) -> None:
        _positive("mean_under_softmax", self.precision)

    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        return plan_posterior(energies, self.precision, log_habits, dim=-1)


@final
@dataclass(frozen=True)
class Max(Backup):
    """The best action's value: Bayes-optimal planning (Bellman 1957)."""

    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        return plan_posterior(energies, inf, log_habits, dim=-1)


@final
@dataclass(frozen=True)
class SoftMin(Backup):
    """The free energy of the later choice, -(1 / precision) log sum E exp(-precision G) (soft value iteration)."""

    precision: float = 1.0

    def __post_init__(self) -> None:
        _positive("soft_min", self.precision)

    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        return plan_posterior(energies, self.precision, log_habits, dim=-1)

    def value(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        scores = -self.precision * energies
        if log_habits is not None:
            scores = scores + log_habits
        return -torch.logsumexp(scores, -1) / self.precision
