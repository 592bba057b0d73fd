"""Unadjusted Langevin dynamics: a minimizer in law (Roberts and Tweedie 1996)."""

from dataclasses import dataclass
from math import sqrt
from typing import final

import torch
from torch import Tensor

from agentic import Objective
from agentic_optimizers.chains import Chains, Walker, check_walk


@final
@dataclass(frozen=True)
class Langevin(Chains):
    """Langevin dynamics without a correction: z <- z - rate gradient + sqrt(2 rate) noise.

    Every `thin`-th draw after `burn` steps is a particle. A step costs one gradient; energies are evaluated at the
    draws alone. Unadjusted: the step size biases the law. On N(0, 1) the stationary variance is 1 / (1 - rate / 2).
    `rate` is in squared units of z per nat.
    """

    steps: int = 1000
    rate: float = 0.01

    def __post_init__(self) -> None:
        check_walk(self, rate=self.rate)

    def begin(self, f: Objective, z: Tensor) -> tuple[Walker, Tensor]:
        return Walker(z, None), f(z)

    def walk(self, f: Objective, walker: Walker, first: int, steps: int, *, generator: torch.Generator) -> None:
        z, rate, scale = walker.z, self.rate, sqrt(2 * self.rate)
        move = torch.empty_like(z)
        for _ in range(steps):
            move.normal_(0, scale, generator=generator)
            z.add_(move.sub_(f.gradient(z), alpha=rate))
