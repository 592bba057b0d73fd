"""Unadjusted Langevin dynamics: a minimiser in law (Roberts and Tweedie 1996)."""

from dataclasses import dataclass
from math import log, sqrt
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Iterate, Objective, Particles, Real, Sampler, UserError


class Walk(NamedTuple):
    """The gradient at the present place, and the draws after it was burned in."""

    gradient: Tensor
    draws: tuple[Tensor, ...]
    energies: tuple[Tensor, ...]
    taken: int


@final
@dataclass(frozen=True)
class Langevin(Sampler):
    """z <- z - rate gradient + sqrt(2 rate) noise; the draws after `burn` steps are equally weighted particles.

    Unadjusted: the step size biases the law. On N(0, 1) the stationary variance is 1 / (1 - rate / 2).
    """

    steps: int = 1000
    rate: float = 0.01
    burn: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.burn < self.steps or not self.rate > 0:
            raise UserError(f"langevin expects 0 <= burn < steps and rate > 0, got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Real):
            raise UserError(f"langevin walks in real vectors, got {f.domain}")
        start = f.start(z)
        value = f(start)
        return Iterate(start, value, torch.full_like(value, torch.nan), 1, Walk(f.gradient(start), (), (), 0))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        walk: Walk = iterate.memory
        noise = torch.randn(iterate.z.shape, generator=generator, dtype=iterate.z.dtype, device=iterate.z.device)
        z = iterate.z - self.rate * walk.gradient + sqrt(2 * self.rate) * noise
        value, count = f(z), walk.taken + 1
        draws, energies = walk.draws, walk.energies
        if count > self.burn:
            draws, energies = (*draws, z), (*energies, value)
        memory = Walk(f.gradient(z), draws, energies, count)
        return Iterate(z, value, iterate.residual, iterate.evaluations + 1, memory)

    def belief(self, f: Objective, iterate: Iterate) -> Particles:
        draws = torch.stack(iterate.memory.draws or (iterate.z,))
        weights = torch.full(draws.shape[:2], -log(len(draws)), dtype=draws.dtype)
        return Particles(draws, weights)

    def value(self, f: Objective, iterate: Iterate, belief: Any) -> Tensor:
        return torch.stack(iterate.memory.energies or (iterate.value,)).mean(0)
