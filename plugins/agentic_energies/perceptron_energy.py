"""A network as an energy, learned by contrastive divergence or score matching."""

from collections.abc import Sequence
from math import inf
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic import Energy, UserError
from agentic_energies.arrays import side_by_side
from agentic_energies.network import Network


@final
class EnergyNetwork(Energy):
    """The energy E(x, z) = f(x, z) + confinement |z|^2 / 2 with f a perceptron, x (b, given) or None, z (b, free).

    Its log normalizer is unknown, so that no likelihood can be had of it: train it by contrastive divergence or
    score matching. With `confinement` > 0 and a bounded activation (tanh, the default) exp(-E) has a finite integral
    for certain; with 0, samplers may walk off. `given` is 0 where there is no x. `hidden` are the widths in between.
    `generator` draws the first weights; None: that of seed 0.
    """

    def __init__(
        self,
        free: int,
        given: int = 0,
        *,
        hidden: Sequence[int] = (64, 64),
        activation: str = "tanh",
        confinement: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if free < 1 or given < 0 or not 0 <= confinement < inf:
            numbers = f"{free}, {given} and {confinement}"
            raise UserError(f"energy_network expects free >= 1, given >= 0 and confinement >= 0, got {numbers}")
        source = torch.Generator().manual_seed(0) if generator is None else generator
        self.free, self.given, self.confinement = free, given, float(confinement)
        self.network = Network([given + free, *hidden, 1], activation, generator=source)

    @classmethod
    def example(cls) -> Self:
        """One number given, two free."""
        return cls(2, 1, hidden=[4])

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Any, Tensor]:
        """Standard normal x and z."""
        both = torch.randn(batch, self.given + self.free, generator=generator, dtype=torch.float64)
        x, z = torch.split(both, [self.given, self.free], -1)
        return (x if self.given else None), z

    def initialize(self, *, generator: torch.Generator) -> None:
        """Draw the weights afresh."""
        self.network.initialize(generator=generator)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.network(self._inputs(x, z)).squeeze(-1) + 0.5 * self.confinement * z.square().sum(-1)

    def value_and_gradient(self, x: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        value, pull = self.network.pullback(self._inputs(x, z))
        slope = pull(torch.ones_like(value))[..., self.given :] + self.confinement * z
        return value.squeeze(-1) + 0.5 * self.confinement * z.square().sum(-1), slope

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        inputs = self._inputs(x, z)
        bent = self.network.curvature(inputs, torch.ones_like(inputs[..., :1]))[..., self.given :, self.given :]
        return bent + self.confinement * torch.eye(self.free, dtype=z.dtype, device=z.device)

    def _inputs(self, x: Any, z: Tensor) -> Tensor:
        found = 0 if x is None else x.shape[-1]
        if (found, z.shape[-1]) != (self.given, self.free):
            expected = f"{self.given} numbers given and {self.free} free"
            raise UserError(f"this energy_network takes {expected}, got {found} and {z.shape[-1]}")
        return z if x is None else side_by_side(x, z)
