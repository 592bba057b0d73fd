"""Gauss-Newton for energies that are sums of squares, damped as Levenberg and Marquardt do, with the Laplace belief.

It needs first derivatives only, its curvature J'J is never indefinite, and on a linear-Gaussian energy one step is the
Kalman update; on others its steps are those of the iterated extended Kalman filter (Bell and Cathey 1993).
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Iterate, Minimizer, Objective, Real, Solution, UserError
from agentic_optimizers.checks import modules_in
from agentic_optimizers.laplace import laplace
from agentic_optimizers.rounding import above_rounding, magnitude

LIFT = 1e-3  # the damping of a row that had none, once a step of it has failed


class Fit(NamedTuple):
    """The least squares at an iterate: J'r (b, d), J'J (b, d, d), damping and more of each row (b,).

    `growth` is the next one of the damping, `constant` the energy's, `taken` the number of steps.
    """

    slope: Tensor
    curvature: Tensor
    damping: Tensor
    growth: Tensor
    constant: Tensor
    taken: Tensor


@final
@dataclass(frozen=True)
class GaussNewton(Minimizer):
    """z <- z - (J'J + damping diag J'J)^-1 J'r for E = |r(z)|^2 / 2 + constant, r what the energy says are `residuals`.

    `damping` is what every row starts with. It falls with every step that does what the squares promised, and rises
    where a step would raise the energy, which is then not taken (Marquardt 1963; Nielsen 1999). Residual: the decrement
    J'r . (J'J)^-1 J'r / 2 in nats. The belief is Gaussian(z, (J'J)^-1) and the value its Laplace free energy, exact
    where r is linear and no bound otherwise. Raises UserError for objectives without residuals, and for a J'J that is
    singular where it ends.
    """

    steps: int = 50
    damping: float = 0.0
    tolerance: float = 1e-12

    def __post_init__(self) -> None:
        if self.steps < 0 or not self.damping >= 0:
            raise UserError(f"gauss_newton expects steps >= 0 and damping >= 0, got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Real) or len(f.domain.event) != 1:
            raise UserError(f"gauss_newton needs a real vector as free variable, got {f.domain}: use gradient")
        start = f.start(z)
        residuals = f.residuals(start)
        if residuals is None:
            raise UserError(
                "gauss_newton needs an energy of LeastSquares, which offers them as residuals(x, z), got "
                f"{type(f).__name__} of {modules_in(f)}: use newton, lbfgs or gradient"
            )
        value, (half_square, slope, curvature) = f(start), _squares(f, start)
        damping, zero = torch.full_like(value, self.damping), torch.zeros_like(value)
        fit = Fit(slope, curvature, damping, zero + 2, value - half_square, zero)
        return Iterate(start, value, _decrement(slope, curvature, value, start), 1, fit)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        fit: Fit = iterate.memory
        direction, damping = _solve(fit)
        place = iterate.z + direction
        half_square, slope, curvature = _squares(f, place)
        value = half_square + fit.constant
        scale = damping.unsqueeze(-1) * fit.curvature.diagonal(dim1=-2, dim2=-1)
        promised = 0.5 * (direction * (scale * direction - fit.slope)).sum(-1)
        ratio = (iterate.value - value) / promised.clamp(min=torch.finfo(value.dtype).tiny)
        better = value <= iterate.value + 4 * torch.finfo(value.dtype).eps * (1 + iterate.value.abs())
        row, matrix = better.unsqueeze(-1), better[:, None, None]
        slope, curvature = torch.where(row, slope, fit.slope), torch.where(matrix, curvature, fit.curvature)
        eased = damping * (1 - (2 * ratio - 1) ** 3).clamp(1 / 3, 1)
        damping = torch.where(better, eased, (damping * fit.growth).clamp(min=LIFT))
        growth = torch.where(better, 2.0, 2 * fit.growth)
        after = Fit(slope, curvature, damping, growth, fit.constant, fit.taken + 1)
        z, value = torch.where(row, place, iterate.z), torch.where(better, value, iterate.value)
        return Iterate(z, value, _decrement(slope, curvature, value, z), iterate.evaluations + 1, after)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        """The Laplace belief, with the `steps` that each row took and the `damping` it ended with, each (b,)."""
        fit: Fit = iterate.memory
        found = laplace("gauss_newton", iterate, fit.curvature, torch.linalg.slogdet(fit.curvature).logabsdet)
        return replace(found, diagnostics={"steps": fit.taken, "damping": fit.damping})


def _squares(f: Objective, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """|r|^2 / 2 (b,), J'r (b, d) and J'J (b, d, d), with all d columns of J at once as sample axis.

    A column is the derivative by u of the pulled-back u'J along a coordinate: two backward passes for any d.
    """
    size = z.shape[-1]
    ways = torch.eye(size, dtype=z.dtype, device=z.device).unsqueeze(1).expand(size, *z.shape)
    with torch.enable_grad():
        free = z.detach().expand(size, *z.shape).contiguous().requires_grad_()
        residuals = f.residuals(free)
        assert residuals is not None
        dual = torch.zeros_like(residuals, requires_grad=True)
        pulled = torch.autograd.grad(residuals, free, dual, create_graph=True)[0]
        columns = torch.autograd.grad(pulled, dual, ways)[0]
    r, jacobian = residuals[0].detach(), columns.movedim(0, -1)
    slope = (jacobian * r.unsqueeze(-1)).sum(-2)
    return 0.5 * r.square().sum(-1), slope, jacobian.transpose(-2, -1) @ jacobian


def _solve(fit: Fit) -> tuple[Tensor, Tensor]:
    """The damped direction (b, d) and the damping (b,) that it took: some where J'J is singular, even after none."""
    root, failed = _damped_root(fit.curvature, fit.damping)
    damping = fit.damping
    if bool(failed.any()):
        damping = torch.where(failed > 0, damping.clamp(min=LIFT), damping)
        root, failed = _damped_root(fit.curvature, damping)
    direction = -torch.cholesky_solve(fit.slope.unsqueeze(-1), root).squeeze(-1)
    return torch.where((failed > 0).unsqueeze(-1), torch.zeros_like(direction), direction), damping


def _damped_root(curvature: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    diagonal = curvature.diagonal(dim1=-2, dim2=-1)
    floor = torch.finfo(curvature.dtype).eps * diagonal.amax(-1, keepdim=True)
    lifted = curvature + torch.diag_embed(damping.unsqueeze(-1) * diagonal.maximum(floor))
    root, failed = torch.linalg.cholesky_ex(lifted)
    return root, failed


def _decrement(slope: Tensor, curvature: Tensor, value: Tensor, z: Tensor) -> Tensor:
    """J'r . (J'J)^-1 J'r / 2 (b,); infinite where J'J is singular."""
    root, failed = torch.linalg.cholesky_ex(curvature)
    part = torch.linalg.solve_triangular(root, slope.unsqueeze(-1), upper=False).squeeze(-1)
    decrement = above_rounding(0.5 * part.square().sum(-1), lambda: magnitude(value, curvature, z), order=2)
    return torch.where(failed > 0, torch.inf, decrement)
