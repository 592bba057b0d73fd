"""First-order descent: plain, with momentum, and Adam."""

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Iterate, Minimizer, Objective, Repeated, Simplex, UserError


class Moments(NamedTuple):
    """The gradient at the iterate, its running averages, and how many steps each row took (b,)."""

    gradient: Tensor
    first: Tensor
    second: Tensor
    taken: Tensor


def _begin(f: Objective, z: Any, solver: str) -> Iterate:
    base = f.domain.base if isinstance(f.domain, Repeated) else f.domain
    if isinstance(base, Simplex):
        raise UserError(
            f"{solver} descends in real vectors or boxes, got a simplex: use mirror, enumerate, tree or cem"
        )
    start = f.domain.project(f.start(z))
    slope = f.gradient(start)
    zero = torch.zeros_like(start)
    return Iterate(start, f(start), _norm(slope), 1, Moments(slope, zero, zero, slope.new_zeros(len(start))))


def _move(f: Objective, iterate: Iterate, place: Tensor, first: Tensor, second: Tensor) -> Iterate:
    z = f.domain.project(place)
    slope = f.gradient(z)
    moments = Moments(slope, first, second, iterate.memory.taken + 1)
    return Iterate(z, f(z), _norm(slope), iterate.evaluations + 1, moments)


def _norm(slope: Tensor) -> Tensor:
    value: Tensor = slope.flatten(1).norm(dim=-1)
    return value


def _check(steps: int, rate: float, **fractions: float) -> None:
    if steps < 0 or not rate > 0:
        raise UserError(f"descent expects steps >= 0 and rate > 0, got steps={steps}, rate={rate}")
    for name, value in fractions.items():
        if not 0 <= value < 1:
            raise UserError(f"{name} must lie in [0, 1), got {value}")


@final
@dataclass(frozen=True)
class GradientDescent(Minimizer):
    """z <- z - rate m with m <- momentum m + gradient; projected onto the domain. Residual: the gradient's norm.

    `rate` in squared units of z per nat.
    """

    steps: int = 100
    rate: float = 0.05
    momentum: float = 0.0
    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        _check(self.steps, self.rate, momentum=self.momentum)

    def init(self, f: Objective, z: Any) -> Iterate:
        return _begin(f, z, "gradient")

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        moments: Moments = iterate.memory
        velocity = self.momentum * moments.first + moments.gradient
        return _move(f, iterate, iterate.z - self.rate * velocity, velocity, moments.second)


@final
@dataclass(frozen=True)
class Adam(Minimizer):
    """Adam (Kingma and Ba 2015), projected onto the domain. Residual: the gradient's norm."""

    steps: int = 200
    rate: float = 0.05
    beta1: float = 0.9
    beta2: float = 0.999
    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        _check(self.steps, self.rate, beta1=self.beta1, beta2=self.beta2)

    def init(self, f: Objective, z: Any) -> Iterate:
        return _begin(f, z, "adam")

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        moments: Moments = iterate.memory
        first = self.beta1 * moments.first + (1 - self.beta1) * moments.gradient
        second = self.beta2 * moments.second + (1 - self.beta2) * moments.gradient**2
        count = (moments.taken + 1).view(-1, *[1] * (iterate.z.dim() - 1))
        scale = (second / (1 - self.beta2**count)).sqrt() + 1e-8
        return _move(f, iterate, iterate.z - self.rate * first / (1 - self.beta1**count) / scale, first, second)
