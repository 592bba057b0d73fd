"""Backups: the values that a tree of beliefs passes up, by the policy an agent assumes it will follow later."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Backup(ABC):
    """A map from the actions' expected energies (m, a) at m beliefs to one value each, and the policy behind it."""

    @abstractmethod
    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        """The probabilities of the actions, (m, a)."""

    def value(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        """The value passed up, (m,): the mean under the policy unless a backup says otherwise."""
        q = self.policy(energies, log_habits)
        return torch.where(q > 0, q * energies, torch.zeros_like(q)).sum(-1)
