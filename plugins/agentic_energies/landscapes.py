"""Landscapes with known moments, on which samplers and solvers for other than quadratic energies are tried."""

from math import inf, log, pi
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import ClosedForm, UserError
from agentic_energies.arrays import finite

GRID = 20_001  # places of the integrals over one coordinate


@final
class Banana(ClosedForm):
    """The energy z1^2 / (2 scale^2) + (z2 - bend (z1^2 - scale^2))^2 / 2, in nats, z (*s, b, 2); x is not looked at.

    A normal bent along a parabola (Haario et al. 1999): z1 ~ N(0, scale^2), z2 ~ N(bend (z1^2 - scale^2), 1). Both
    means are 0. Raises UserError for a scale that is not positive.
    """

    def __init__(self, scale: float = 1.0, bend: float = 0.5) -> None:
        super().__init__()
        if not 0 < scale < inf:
            raise UserError(f"a banana expects scale > 0, got {scale}")
        self.scale, self.bend = float(scale), finite("bend", bend)

    @property
    def variance(self) -> tuple[float, float]:
        """The variances of z1 and of z2."""
        return self.scale**2, 1 + 2 * self.bend**2 * self.scale**4

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[None, Tensor]:
        """Nothing given, and standard normal places."""
        return None, torch.randn(batch, 2, generator=generator, dtype=torch.float64)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` exact draws, (n, 2) in float64."""
        z1, noise = torch.randn(2, n, generator=generator, dtype=torch.float64)
        z1 = self.scale * z1
        return torch.stack([z1, self.bend * (z1.square() - self.scale**2) + noise], -1)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return 0.5 * (z[..., 0].square() / self.scale**2 + self._off(z).square())

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        off, z1 = self._off(z), z[..., 0]
        return torch.stack([z1 / self.scale**2 - 2 * self.bend * z1 * off, off], -1)

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        off, z1 = self._off(z), z[..., 0]
        cross, one = -2 * self.bend * z1, torch.ones_like(z1)
        corner = 1 / self.scale**2 - 2 * self.bend * off + cross.square()
        return torch.stack([torch.stack([corner, cross], -1), torch.stack([cross, one], -1)], -2)

    def log_normalizer(self, x: Any) -> Tensor:
        """The log of the integral of exp(-E), in nats."""
        return torch.tensor(log(2 * pi * self.scale), dtype=torch.float64)

    def _off(self, z: Tensor) -> Tensor:
        return z[..., 1] - self.bend * (z[..., 0].square() - self.scale**2)


@final
class DoubleWell(ClosedForm):
    """The energy barrier (z1^2 - 1)^2 + tilt z1 + (z2^2 + ... + zd^2) / 2, in nats, z (*s, b, d); x is not looked at.

    Two modes near z1 = -1 and 1, `barrier` nats below the place between them where `tilt` is 0; a positive tilt makes
    the left one heavier. Raises UserError unless barrier > 0.
    """

    def __init__(self, barrier: float = 2.0, tilt: float = 0.0) -> None:
        super().__init__()
        if not 0 < barrier < inf:
            raise UserError(f"a double well expects barrier > 0, got {barrier}")
        self.barrier, self.tilt = float(barrier), finite("tilt", tilt)
        reach = 1 + (1 + 50 / self.barrier + abs(self.tilt) / self.barrier) ** 0.5  # beyond: less than exp(-50)
        grid = torch.linspace(-reach, reach, GRID, dtype=torch.float64)
        energies = self.barrier * (grid.square() - 1).square() + self.tilt * grid
        self.grid = nn.Buffer(grid, persistent=False)
        self.masses = nn.Buffer(torch.softmax(-energies, 0), persistent=False)
        self.log_mass = float(torch.logsumexp(-energies, 0) + torch.log(grid[1] - grid[0]))

    @classmethod
    def example(cls) -> Self:
        """Two modes of unequal weight."""
        return cls(barrier=2.0, tilt=0.3)

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[None, Tensor]:
        """Nothing given, and standard normal places in two dimensions."""
        return None, torch.randn(batch, 2, generator=generator, dtype=torch.float64)

    @property
    def right(self) -> float:
        """The weight of the mode at z1 > 0."""
        middle = GRID // 2
        return float(self.masses[middle + 1 :].sum() + self.masses[middle] / 2)

    @property
    def mean(self) -> float:
        """The mean of z1; the other coordinates' is 0."""
        return float(self.masses @ self.grid)

    @property
    def variance(self) -> float:
        """The variance of z1; the other coordinates' is 1."""
        return float(self.masses @ self.grid.square()) - self.mean**2

    def sample(self, n: int, generator: torch.Generator, d: int = 1) -> Tensor:
        """`n` draws in `d` dimensions, (n, d) in float64, exact but for the grid of z1."""
        u = torch.rand(n, generator=generator, dtype=torch.float64)
        nearest = torch.searchsorted(self.masses.cumsum(0), u).clamp(max=GRID - 1)
        width = self.grid[1] - self.grid[0]
        within = torch.rand(n, generator=generator, dtype=torch.float64) - 0.5
        draws = torch.randn(n, d, generator=generator, dtype=torch.float64)
        draws[:, 0] = self.grid[nearest] + width * within
        return draws

    def forward(self, x: Any, z: Tensor) -> Tensor:
        z1 = z[..., 0]
        return self.barrier * (z1.square() - 1).square() + self.tilt * z1 + 0.5 * z[..., 1:].square().sum(-1)

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        slope, z1 = z.clone(), z[..., 0]
        slope[..., 0] = 4 * self.barrier * z1 * (z1.square() - 1) + self.tilt
        return slope

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        diagonal = torch.ones_like(z)
        diagonal[..., 0] = 4 * self.barrier * (3 * z[..., 0].square() - 1)
        return torch.diag_embed(diagonal)
