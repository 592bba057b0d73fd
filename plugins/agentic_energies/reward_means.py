"""What actions are paid, as a discrete model learns it: conjugate means of rewards."""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor, nn


class Rewarding(ABC):
    """A model that may know what its actions are paid."""

    @abstractmethod
    def expected_rewards(self) -> Tensor | None:
        """The reward expected in every state for every joint action, (n, actions); None where it is not known."""

    def reward_range(self) -> float:
        """From the lowest to the highest reward known of, 0 among them."""
        known = self.expected_rewards()
        return 0.0 if known is None else range_of(known)


def range_of(rewards: Tensor) -> float:
    """From the lowest to the highest of rewards (n, actions), 0 among them."""
    return float(rewards.max().clamp(min=0) - rewards.min().clamp(max=0))


@final
class RewardMeans(nn.Module):
    """The conjugate mean of what each state and action is paid: a prior `mean` that weighs `strength` observations.

    `extremes` (2,) are the lowest and the highest reward that was paid, 0 among them.
    """

    def __init__(self, states: int, actions: int, mean: float, strength: float, rate: float, forgetting: float) -> None:
        super().__init__()
        self.mean, self.strength, self.rate, self.forgetting = mean, strength, rate, forgetting
        self.paid = nn.Buffer(torch.zeros(states, actions, dtype=torch.float64))  # above the prior's mean
        self.weight = nn.Buffer(torch.zeros(states, actions, dtype=torch.float64))
        self.table = nn.Buffer(torch.full((states, actions), mean, dtype=torch.float64))
        self.extremes = nn.Buffer(torch.zeros(2, dtype=torch.float64))

    @property
    def range(self) -> float:
        """From the lowest to the highest reward that was paid, 0 among them."""
        return float(self.extremes[1] - self.extremes[0])

    def add(self, states: Tensor, weights: Tensor, action: int, reward: float) -> None:
        """Count a reward in `states` (m,), which are as likely as `weights` (m,) say."""
        place, weights = (states, torch.tensor(action)), weights.to(self.weight)
        kept, more = (1 - self.forgetting) ** weights, self.rate * weights
        paid = kept * self.paid[place] + more * (reward - self.mean)
        weight = kept * self.weight[place] + more
        self.paid[place], self.weight[place] = paid, weight
        self.table[place] = self.mean + paid / (self.strength + weight)
        self.extremes[0], self.extremes[1] = self.extremes[0].clamp(max=reward), self.extremes[1].clamp(min=reward)
