"""Energies of the arm: how badly a posture fits a place of the hand, learned in several ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi
from typing import Any, final

import torch
from torch import Tensor

from agentic import Conditional, Energy, Loss, Particles
from agentic_energies.feedforward import Feedforward
from agentic_energies.network import Network

from .arm import encode

POINTS = 4  # numbers in an encoded posture
NARROWEST, WIDEST = -5.0, 1.0  # log standard deviations of the parts of a mixture


@final
class Posture(Energy):
    """An energy of encoded postures as one of angles: E(x, z) with x (*s, b, 2) the hand, z (*s, b, 2) angles."""

    def __init__(self, encoded: Energy) -> None:
        super().__init__()
        self.encoded = encoded

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.encoded(x, encode(z))

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        return self._by_angles(z, self.encoded.gradient(x, encode(z)))

    def value_and_gradient(self, x: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = self.encoded.value_and_gradient(x, encode(z))
        return value, self._by_angles(z, slope)

    @staticmethod
    def _by_angles(z: Tensor, slope: Tensor) -> Tensor:
        by_cosine, by_sine = slope.chunk(2, -1)
        return by_sine * z.cos() - by_cosine * z.sin()


@final
class ForwardModel(Energy):
    """-log p(hand | posture) of a function learned from posture to hand, read as an energy of the posture."""

    def __init__(self, function: Feedforward) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.function(z, x)

    def value_and_gradient(self, x: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        output, pull = self.function.network.pullback(z)
        emission = self.function.emission
        return emission(x, output), pull(emission.slope(x, output))


@final
class MixtureDensity(Conditional):
    """-log sum_k w_k(x) N(y; m_k(x), s_k(x)^2 I) (Bishop 1994): `x` (*s, b, in) given, `y` (*s, b, POINTS) free."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.parts = network, network.sizes[-1] // (POINTS + 2)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        weights, deviations, means = self._mixture(x)
        square = ((z.unsqueeze(-2) - means) / deviations.exp().unsqueeze(-1)).square().sum(-1)
        return -torch.logsumexp(weights - 0.5 * square - POINTS * (deviations + 0.5 * log(2 * pi)), -1)

    def given(self, x: Any) -> Particles:
        """Its parts' means and weights, without their widths."""
        weights, _, means = self._mixture(x)
        return Particles(means.movedim(-2, 0), weights.movedim(-1, 0))

    def _mixture(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        output = self.network(x)
        weights, deviations, means = output.split([self.parts, self.parts, POINTS * self.parts], -1)
        return (
            weights.log_softmax(-1),
            deviations.clamp(NARROWEST, WIDEST),
            means.unflatten(-1, (self.parts, POINTS)),
        )


@final
@dataclass(frozen=True)
class Contrast(Loss):
    """-log of the share of exp(-E) that the true posture has among itself and `others` (van den Oord et al. 2018).

    Half of the others are drawn evenly from the circle, half from the neighborhood (standard deviation `near` in
    radians). Rows are (x, angles).
    """

    near: float
    others: int = 32

    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        x, angles = rows
        shape = (self.others // 2, *angles.shape)
        anywhere = 2 * pi * torch.rand(shape, generator=generator) - pi
        nearby = angles + self.near * torch.randn(shape, generator=generator)
        energy = module(x, torch.cat([angles.unsqueeze(0), anywhere, nearby]))
        return (energy[0] + torch.logsumexp(-energy, 0)).mean(), {}
