"""First-order descent: plain, with momentum, and Adam.

Many cheap steps are the whole cost, so they are taken a stretch at a time: value, residual and convergence are looked
at when a stretch ends, and a stretch may be compiled.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Domain, Iterate, Minimizer, Objective, Real, Repeated, Simplex, Solution, UserError
from agentic_optimizers.compiled import compiled
from agentic_optimizers.rounding import above_rounding, largest


class Moments(NamedTuple):
    """The gradient at the iterate, its running averages, and how many steps each row took (b,)."""

    gradient: Tensor
    first: Tensor
    second: Tensor
    taken: Tensor


@dataclass(frozen=True)
class Descent(Minimizer):
    """Gradient descent projected onto the domain, `check_every` steps at a time; `rate` says how long they are.

    Residual: the norm of the gradient, in a box of the way that a projected step of size 1 would go. With `compile` a
    stretch is compiled: seconds for each new energy and shape, several times faster from then on, the same to rounding.
    """

    steps: int = 100
    rate: float = 0.05
    tolerance: float = 1e-8
    check_every: int = 20
    compile: bool = False

    def __post_init__(self) -> None:
        if self.steps < 0 or not self.rate > 0 or self.check_every < 1:
            given = f"steps={self.steps}, rate={self.rate}, check_every={self.check_every}"
            raise UserError(f"descent expects steps >= 0, rate > 0 and check_every >= 1, got {given}")

    @abstractmethod
    def move(self, z: Tensor, moments: Moments) -> tuple[Tensor, Moments]:
        """The next place before it is projected, and the moments, their gradient still the old one."""

    def init(self, f: Objective, z: Any) -> Iterate:
        base = f.domain.base if isinstance(f.domain, Repeated) else f.domain
        if isinstance(base, Simplex):
            name = type(self).__name__.removesuffix("Descent").lower()
            raise UserError(
                f"{name} descends in real vectors or boxes, got a simplex: use mirror, enumerate, tree or cem"
            )
        start = f.domain.project(f.start(z))
        value, slope = f.value_and_gradient(start)
        zero = torch.zeros_like(start)
        moments = Moments(slope, zero, zero, slope.new_zeros(len(start)))
        return Iterate(start, value, self.left(f.domain, start, slope, value), 1, moments)

    def left(self, domain: Domain, z: Tensor, slope: Tensor, value: Tensor) -> Tensor:
        """The residual (b,), of which rounding leaves as much as a step that no longer moves z."""
        way = slope if isinstance(domain, Real) else z - domain.project(z - slope)
        norm: Tensor = way.flatten(1).norm(dim=-1)
        return above_rounding(norm, lambda: (1 + value.abs()).maximum(largest(z) / self.rate))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return self._steps(f, iterate, 1)

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        return self.fold(iterate, steps, partial(self._steps, f), self.check_every)

    @torch.no_grad()
    def _steps(self, f: Objective, iterate: Iterate, steps: int) -> Iterate:
        if self.compile and steps > 1:
            walked = compiled(_walk, replace(self, steps=0), f, iterate.z, iterate.memory, steps)
        else:
            walked = _walk(self, f, iterate.z, iterate.memory, steps)
        z, value, residual, moments = walked
        return Iterate(z, value, residual, iterate.evaluations + steps, moments)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        """The point that was reached, with the `steps` that each row took (b,)."""
        return replace(super().solution(f, iterate), diagnostics={"steps": iterate.memory.taken})


def _walk(
    solver: Descent, f: Objective, z: Tensor, moments: Moments, steps: int
) -> tuple[Tensor, Tensor, Tensor, Moments]:
    """`steps` steps on: the place, its value (b,) and residual (b,), the moments."""
    for _ in range(steps - 1):
        z, moments = solver.move(z, moments)
        z = f.domain.project(z)
        moments = moments._replace(gradient=f.gradient(z))
    z, moments = solver.move(z, moments)
    z = f.domain.project(z)
    value, slope = f.value_and_gradient(z)
    return z, value, solver.left(f.domain, z, slope, value), moments._replace(gradient=slope)


def _check(**fractions: float) -> None:
    for name, value in fractions.items():
        if not 0 <= value < 1:
            raise UserError(f"{name} must lie in [0, 1), got {value}")


@final
@dataclass(frozen=True)
class GradientDescent(Descent):
    """Gradient descent with momentum: z <- z - rate m with m <- momentum m + gradient.

    With `nesterov` it is z <- z - rate (gradient + momentum m). `rate` in squared units of z per nat. Momentum: Polyak
    1964; Nesterov 1983, as written by Sutskever et al. 2013.
    """

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(momentum=self.momentum)

    def move(self, z: Tensor, moments: Moments) -> tuple[Tensor, Moments]:
        slope, velocity = moments.gradient, moments.first
        way = slope
        if self.momentum > 0:
            velocity = torch.add(slope, velocity, alpha=self.momentum)
            way = torch.add(slope, velocity, alpha=self.momentum) if self.nesterov else velocity
        after = Moments(slope, velocity, moments.second, moments.taken + 1)
        return torch.add(z, way, alpha=-self.rate), after


@final
@dataclass(frozen=True)
class Adam(Descent):
    """Adam (Kingma and Ba 2015); `rate` in units of z.

    `beta1` and `beta2` are the shares of the old that the means of gradients and of their squares keep at a step.
    """

    steps: int = 200
    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(beta1=self.beta1, beta2=self.beta2)

    def move(self, z: Tensor, moments: Moments) -> tuple[Tensor, Moments]:
        slope, taken = moments.gradient, moments.taken + 1
        first = torch.lerp(slope, moments.first, self.beta1)
        second = torch.lerp(slope * slope, moments.second, self.beta2)
        count = taken.view(-1, *[1] * (z.dim() - 1))
        scale = (second / (1 - self.beta2**count)).sqrt() + 1e-8
        way = first / (1 - self.beta1**count) / scale
        return torch.add(z, way, alpha=-self.rate), Moments(slope, first, second, taken)
