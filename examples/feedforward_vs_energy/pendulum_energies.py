"""Energies of the pendulum's next state: what was learned from data, and the law that mechanical energy stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic import ClosedForm, Conditional, Gaussian, LeastSquares, Loss
from agentic_energies.feedforward import Feedforward
from agentic_optimizers.likelihood import Likelihood

from .pendulum import draw, mechanical


@final
class Motion(ClosedForm, Conditional, LeastSquares):
    """-log p(z | x) of the next state z (*s, b, 2) given the state x (*s, b, 2): the change is N(f(x), variance I)."""

    def __init__(self, change: Feedforward) -> None:
        super().__init__()
        self.change = change

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.change(_features(x), z - x)

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        return self.change.gradient(_features(x), z - x)

    def residuals(self, x: Any, z: Tensor) -> Tensor | None:
        return self.change.residuals(_features(x), z - x)

    def given(self, x: Any) -> Gaussian:
        change = self.change.given(_features(x))
        return Gaussian(x + change.mean, change.covariance)


@final
class Conservation(ClosedForm, LeastSquares):
    """(H(z) - H(x))^2 / (2 width^2): mechanical energy H stays, up to a `width` that stands for exactly."""

    def __init__(self, width: float) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return 0.5 * ((mechanical(z) - mechanical(x)) / self.width).square()

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        error = (mechanical(z) - mechanical(x)) / self.width**2
        return error.unsqueeze(-1) * torch.stack([z[..., 0].sin(), z[..., 1]], -1)

    def residuals(self, x: Any, z: Tensor) -> Tensor:
        return ((mechanical(z) - mechanical(x)) / self.width).unsqueeze(-1)


@final
@dataclass(frozen=True)
class Informed(Loss):
    """Likelihood plus the law's energy at what is predicted (physics-informed, Raissi et al. 2019); rows are (x, y).

    The law is asked for at the data, or where `ranges` of mechanical energy are given at as many states drawn from
    those, in equal shares, anew in every step: there it needs no data.
    """

    width: float
    ranges: tuple[tuple[float, float], ...] = ()

    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        value, _ = Likelihood()(module, rows, generator=generator)
        state = rows[0]
        if self.ranges:
            assert generator is not None
            each = -(-len(state) // len(self.ranges))
            state = torch.cat([draw(each, energies, generator=generator) for energies in self.ranges])
        return value + Conservation(self.width)(state, module.given(state).mean).mean(), {}


def _features(state: Tensor) -> Tensor:
    return torch.stack([state[..., 0].cos(), state[..., 0].sin(), state[..., 1]], -1)
