"""Underdamped Langevin dynamics, split as BAOAB (Leimkuhler and Matthews 2013)."""

from dataclasses import dataclass
from math import exp, sqrt
from typing import final

import torch
from torch import Tensor

from agentic import Objective
from agentic_optimizers.chains import Chains, Walker, check_walk


@dataclass
class Rolling(Walker):
    """The chains and their momenta (b, *event), which wait for the last half kick of their step."""

    momentum: Tensor


@final
@dataclass(frozen=True)
class UnderdampedLangevin(Chains):
    """Underdamped Langevin dynamics: dz = p dt, dp = -gradient dt - friction p dt + sqrt(2 friction) dW, unit mass.

    In steps of `step_size`: half a kick, half a drift, the noise, half a drift, half a kick: one gradient a step.
    Unadjusted, but the bias of z is of second order in the step size, of fourth where friction is high (Leimkuhler and
    Matthews 2013), and nothing at all on quadratic energies, as long as step_size < 2 / sqrt(largest curvature).
    `step_size` is in units of z.
    """

    steps: int = 1000
    step_size: float = 0.1
    friction: float = 1.0

    def __post_init__(self) -> None:
        check_walk(self, step_size=self.step_size, friction=self.friction)

    def begin(self, f: Objective, z: Tensor) -> tuple[Walker, Tensor]:
        return Rolling(z, None, torch.zeros_like(z)), f(z)

    def walk(self, f: Objective, walker: Walker, first: int, steps: int, *, generator: torch.Generator) -> None:
        assert isinstance(walker, Rolling)
        z, p, h = walker.z, walker.momentum, self.step_size
        keep = exp(-self.friction * h)
        scale, half, length = sqrt(1 - keep * keep), h / 2, h
        noise = torch.empty_like(z)
        if first == 0:
            p.normal_(generator=generator)
            length = half
        for _ in range(steps):
            p.sub_(f.gradient(z), alpha=length)
            z.add_(p, alpha=half)
            noise.normal_(0, scale, generator=generator)
            p.mul_(keep).add_(noise)
            z.add_(p, alpha=half)
            length = h
