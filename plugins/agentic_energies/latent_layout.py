"""Where the parts of an ensemble's latent stand: what is observed, what is remembered, the reward."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from agentic_energies.arrays import side_by_side


@final
@dataclass(frozen=True)
class Layout:
    """The layout of a latent: the observation, those of the `memory` steps before, the actions then, the reward."""

    obs: int
    action: int
    memory: int = 0
    reward: bool = False

    @property
    def state(self) -> int:
        """The number of components before the reward."""
        return self.obs + self.past

    @property
    def past(self) -> int:
        """The number of components that only remember."""
        return self.memory * (self.obs + self.action)

    @property
    def size(self) -> int:
        return self.state + self.reward

    @property
    def learned(self) -> int:
        """The number of components that a network predicts: the observation and the reward."""
        return self.obs + self.reward

    def inputs(self, z: Tensor, action: Tensor) -> Tensor:
        """A network's inputs from z (..., size) and actions (..., k) that broadcast: past observations as changes."""
        return side_by_side(self.seen(z), action.to(z.dtype))

    def seen(self, z: Tensor) -> Tensor:
        """What of z (..., size) a network sees, (..., state)."""
        seen = z[..., : self.obs]
        if not self.memory:
            return seen
        lags, later = z[..., self.obs : self.obs * (1 + self.memory)], z[..., : self.obs * self.memory]
        return torch.cat([seen, later - lags, z[..., self.obs * (1 + self.memory) : self.state]], -1)

    def moved(self, z: Tensor, action: Tensor, change: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """The next latent of z (*s, b, size): observation and reward by `change`, within `low` to `high` (learned,)."""
        d = self.obs
        if not self.reward:
            return self.after(z, action, torch.clamp(z[..., :d] + change, low, high), change[..., d:])
        obs = torch.clamp(z[..., :d] + change[..., :d], low[:d], high[:d])
        return self.after(z, action, obs, torch.clamp(change[..., d:], low[d:], high[d:]))

    def after(self, z: Tensor, action: Tensor, obs: Tensor, reward: Tensor) -> Tensor:
        """The next latent: `obs` (*s, b, d) and `reward` (*s, b, 0 or 1) as predicted, the rest moved one step back."""
        if not self.memory:
            return torch.cat([obs, reward], -1) if self.reward else obs
        d, k, start = self.obs, self.action, self.obs * (1 + self.memory)
        shape = obs.shape[:-1]
        lags, acts = z[..., : d * self.memory].expand(*shape, -1), action.to(z.dtype).expand(*shape, -1)
        older = z[..., start : start + k * (self.memory - 1)].expand(*shape, -1)
        return torch.cat([obs, lags, acts, older, reward], -1)
