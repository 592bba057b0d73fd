"""Newton's method, with the Laplace belief at the place it ends.

One step on a linear-Gaussian energy is the Kalman update, covariance included.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Iterate, Minimizer, Objective, Real, Solution, UserError
from agentic_optimizers.laplace_belief import indefinite, laplace_belief, laplace_free_energy


class Curvature(NamedTuple):
    """The Newton direction (b, d) the Hessian (b, d, d) and its log determinant (b,) at the iterate."""

    direction: Tensor
    hessian: Tensor
    log_det: Tensor


@final
@dataclass(frozen=True)
class Newton(Minimizer):
    """z <- z - (H + damping I)^-1 gradient, halved while the energy would rise. Residual: the Newton decrement in nats.

    The belief is Gaussian(z, H^-1) and the value its Laplace free energy E + log det H / 2 - d log(2 pi) / 2, which is
    exact for quadratic energies and no bound otherwise. Raises UserError for an indefinite Hessian.
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
        slack = 1e-9 * (1 + iterate.value.abs())
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
        eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
        root, failed = torch.linalg.cholesky_ex(hessian + self.damping * eye)
        if bool(failed.any()):
            raise UserError(indefinite("newton", hessian))
        direction = -torch.cholesky_solve(slope.unsqueeze(-1), root).squeeze(-1)
        decrement = -0.5 * (slope * direction).sum(-1)
        if self.damping > 0:
            root = torch.linalg.cholesky_ex(hessian)[0]
        log_det = 2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return Iterate(z, value, decrement, evaluations, Curvature(direction, hessian, log_det))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        belief = laplace_belief("newton", iterate.z, iterate.memory.hessian)
        value = laplace_free_energy(iterate.value, iterate.memory.log_det, iterate.z.shape[-1])
        return iterate.solution(belief, value, "free_energy")
