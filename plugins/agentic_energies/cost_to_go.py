"""A learned terminal energy: what is still to come from where a plan ends, by several small networks."""

from collections.abc import Sequence
from math import inf
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import UserError
from agentic.planning import CostToGo
from agentic_energies.ensemble_network import EnsembleNetwork
from agentic_energies.units import CONSTANT

FAR = 6.0  # standard deviations beyond which a latent counts as no farther


@final
class CostToGoNetworks(CostToGo):
    """The energy to come from a latent, learned in imagination by `members` networks of `hidden` units.

    Between the bounds it was told it is low + (high - low) u^2, u of each network cut to [0, 1]: a root is smooth where
    costs add up. The members' mean, and `doubt` times their standard deviation on top: where they disagree it is
    not hoped for more (an upper confidence bound of a cost). Zero until it is taught. Raises UserError for no member.
    """

    def __init__(self, *, members: int = 3, hidden: Sequence[int] = (32, 32), doubt: float = 0.5) -> None:
        super().__init__()
        if members < 1 or not hidden or min(hidden) < 1 or not 0 <= doubt < inf:
            given = f"{members}, {list(hidden)} and {doubt}"
            raise UserError(f"cost_to_go expects members and hidden units of at least 1 and doubt >= 0, got {given}")
        self.members, self.hidden, self.doubt = members, tuple(hidden), float(doubt)
        self.network: EnsembleNetwork | None = None
        self.center, self.scale = nn.Buffer(torch.zeros(0)), nn.Buffer(torch.ones(0))
        self.bounds = nn.Buffer(torch.tensor([0.0, 0.0]))

    @property
    def taught(self) -> bool:
        return self.network is not None

    @classmethod
    def example(cls) -> Self:
        """One of two latents, between 0 and 10 nats."""
        goal = cls(members=2, hidden=(4,))
        goal.cover(torch.eye(2, dtype=torch.float64), 0.0, 10.0, generator=torch.Generator().manual_seed(0))
        return goal

    def forward(self, x: Any, z: Tensor) -> Tensor:
        if self.network is None:
            return z.new_zeros(z.shape[:-1])
        low, high = self.bounds
        value = low + (high - low) * self._shares(z).clamp(0, 1).square()
        mean: Tensor = value.mean(0)
        variance = (value - mean).square().mean(0)
        apart: Tensor = variance.clamp(min=torch.finfo(variance.dtype).tiny).sqrt()  # with a slope where all agree
        return mean + self.doubt * apart

    def _shares(self, z: Tensor) -> Tensor:
        """What each network says, (members, *s, b): the root of the share of what lies between the bounds."""
        assert self.network is not None
        x = ((z - self.center) / self.scale).clamp(-FAR, FAR).reshape(-1, z.shape[-1])
        value: Tensor = self.network(x.expand(self.members, *x.shape))
        return value.view(self.members, *z.shape[:-1])

    @torch.no_grad()
    def cover(self, z: Tensor, low: float, high: float, *, generator: torch.Generator) -> None:
        center, spread = z.mean(0), z.std(0, correction=0)
        scale = torch.where(spread > CONSTANT * (1 + center.abs()), spread, 1.0)  # what is constant has the unit 1
        if self.network is None:
            self.network = self._networks(z)
            self.network.initialize(generator=generator)
            self.network.weights[-1] *= 0.1
            self.network.biases[-1] += 0.7  # about half of the bounds: not hoped for before it is known
        else:
            self.network.fold_inputs(scale / self.scale, (center - self.center) / self.scale)
        bounds = torch.tensor([low, high], dtype=z.dtype, device=z.device)
        for name, part in {"center": center, "scale": scale, "bounds": bounds}.items():
            self.register_buffer(name, part)

    def _networks(self, like: Tensor) -> EnsembleNetwork:
        """Networks of latents (.., d), of their type."""
        return EnsembleNetwork(self.members, [like.shape[-1], *self.hidden, 1]).to(like)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Where nothing was taught yet, have networks and units of the sizes that are loaded."""
        center = state_dict.get(f"{prefix}center")
        if self.network is None and center is not None and len(center):
            self.network = self._networks(center)
            self.center, self.scale = nn.Buffer(torch.zeros_like(center)), nn.Buffer(torch.ones_like(center))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def errors(self, z: Tensor, values: Tensor) -> Tensor:
        low, high = self.bounds
        share = ((values - low) / (high - low).clamp(min=torch.finfo(z.dtype).tiny)).clamp(0, 1).sqrt()
        errors: Tensor = (self._shares(z) - share).square().mean(0)
        return errors
