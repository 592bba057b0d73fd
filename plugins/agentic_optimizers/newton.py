"""Newton's method, with the Laplace belief at the place it ends.

One step on a linear-Gaussian energy is the Kalman update, covariance included.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Iterate, Minimizer, Objective, Real, Solution, UserError
from agentic_optimizers.laplace import laplace, positive_root
from agentic_optimizers.rounding import above_rounding, magnitude


class Curvature(NamedTuple):
    """The Newton direction (b, d) and the Hessian (b, d, d) at the iterate."""

    direction: Tensor
    hessian: Tensor


@final
@dataclass(frozen=True)
class Newton(Minimizer):
    """Newton's method: z <- z - (H + damping I)^-1 gradient, a step halved while the energy would rise.

    It is halved at most `halvings` times. Residual: the Newton decrement in nats. The belief is Gaussian(z, H^-1) and
    the value its Laplace free energy E + log det H / 2 - d log(2 pi) / 2, which is exact for quadratic energies and no
    bound otherwise. Raises UserError for an indefinite Hessian.
    """

    steps: int = 20
    damping: float = 0.0
    halvings: int = 20
    tolerance: float = 1e-12

    def __post_init__(self) -> None:
        if self.steps < 0 or self.damping < 0 or self.halvings < 0:
            raise UserError(f"newton expects steps, damping and halvings >= 0, got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Real) or len(f.domain.event) != 1:
            raise UserError(f"newton needs a real vector as free variable, got {f.domain}: use gradient or mirror")
        start = f.start(z)
        return self._at(f, start, f(start), 1)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        direction, scale = iterate.memory.direction, torch.ones_like(iterate.value).unsqueeze(-1)
        place, evaluations = iterate.z + direction, iterate.evaluations + 1
        value = f(place)
        slack = max(1e-9, 4 * torch.finfo(value.dtype).eps) * (1 + iterate.value.abs())
        for _ in range(self.halvings):
            rises = ~(value <= iterate.value + slack)
            if not bool(rises.any()):
                break
            scale = torch.where(rises.unsqueeze(-1), scale / 2, scale)
            place, evaluations = iterate.z + scale * direction, evaluations + 1
            value = f(place)
        return self._at(f, place, value, evaluations)

    def _at(self, f: Objective, z: Tensor, value: Tensor, evaluations: int) -> Iterate:
        slope, hessian = f.gradient(z), f.hessian(z)
        root = positive_root("newton", hessian, self.damping)
        direction = -torch.cholesky_solve(slope.unsqueeze(-1), root).squeeze(-1)
        decrement = -0.5 * (slope * direction).sum(-1)
        decrement = above_rounding(decrement, lambda: magnitude(value, hessian, z), order=2)
        return Iterate(z, value, decrement, evaluations, Curvature(direction, hessian))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return laplace("newton", iterate, iterate.memory.hessian)
