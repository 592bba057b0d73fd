"""Stein variational gradient descent: particles that repel each other (Liu and Wang 2016)."""

from dataclasses import dataclass
from math import log
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Iterate, Objective, Particles, Real, Sampler, Solution, UserError


class Drive(NamedTuple):
    """The gradient at every particle (n, b, *event), and the kernel's bandwidth (b,), NaN before the first step."""

    gradient: Tensor
    bandwidth: Tensor


@final
@dataclass(frozen=True)
class SVGD(Sampler):
    """Stein variational gradient descent: `particles` go down the gradients around them and away from each other.

    z_i <- z_i + rate mean_j [k(z_j, z_i) (-gradient_j) + dk(z_j, z_i) / dz_j] with k = exp(-distance^2 / h) and
    h = median squared distance / log(particles). It starts from `Particles`, whatever their weights, or from a place
    (b, *event) around which a fixed normal sample of standard deviation `spread` is laid. The value is the particles'
    mean energy, the residual the root of their mean squared speed. With few particles the variance comes out too small,
    the more so the more dimensions there are (Ba et al. 2022).
    """

    steps: int = 500
    particles: int = 50
    rate: float = 0.3
    spread: float = 1.0

    def __post_init__(self) -> None:
        if self.steps < 0 or self.particles < 3 or not min(self.rate, self.spread) > 0:
            raise UserError(f"svgd expects particles >= 3, rate > 0 and spread > 0, got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Real):
            raise UserError(f"svgd moves particles in real vectors, got {f.domain}")
        cloud = z.z if isinstance(z, Particles) else self._cloud(f.start(z))
        if len(cloud) < 3:  # of two, the median of all distances is that of a particle to itself
            raise UserError(f"svgd expects at least 3 particles, got {len(cloud)}")
        values, slope = f.value_and_gradient(cloud)
        mean = values.mean(0) if values.dim() else values
        nothing = torch.full_like(mean, torch.nan)
        return Iterate(cloud, mean, nothing, len(cloud), Drive(slope, nothing))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        velocity, bandwidth = _velocity(iterate.z, iterate.memory.gradient)
        z = iterate.z + self.rate * velocity
        values, slope = f.value_and_gradient(z)
        speed = velocity.flatten(2).square().sum(-1).mean(0).sqrt()
        return Iterate(z, values.mean(0), speed, iterate.evaluations + len(z), Drive(slope, bandwidth))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        z, count = iterate.z, len(iterate.z)
        log_weights = torch.full((count, *iterate.value.shape), -log(count), dtype=z.dtype, device=z.device)
        shown = {"bandwidth": iterate.memory.bandwidth}
        return iterate.solution(Particles(z, log_weights), kind="mean_energy", diagnostics=shown)

    def _cloud(self, place: Tensor) -> Tensor:
        """The start's particles (n, b, *event): the same evenly laid normal sample around every row's place."""
        sobol = torch.quasirandom.SobolEngine(place[0].numel(), scramble=True, seed=0)
        even = sobol.draw(self.particles, dtype=torch.float64).clamp(1e-6, 1 - 1e-6)
        normal = torch.special.ndtri(even).view(self.particles, 1, *place.shape[1:])
        cloud: Tensor = place + self.spread * normal.to(place)
        return cloud


def _velocity(z: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Each particle's velocity, shaped like `z` (n, b, *event), and every row's bandwidth (b,)."""
    count = len(z)
    x, slope = z.flatten(2).transpose(0, 1), gradient.flatten(2).transpose(0, 1)
    square = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").square()
    bandwidth = (square.flatten(1).median(-1).values / log(count)).clamp(min=torch.finfo(z.dtype).tiny)
    width = bandwidth.view(-1, 1, 1)
    kernel = (-square / width).exp()
    away = 2 / width * (kernel.sum(-1, keepdim=True) * x - kernel @ x)
    velocity = (away - kernel @ slope) / count
    return velocity.transpose(0, 1).reshape(z.shape), bandwidth
