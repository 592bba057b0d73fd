"""Laplace's approximation: the Gaussian that has an energy's place and curvature at a minimum."""

import math

import torch
from torch import Tensor

from agentic import Gaussian, UserError


def laplace_belief(solver: str, z: Tensor, hessian: Tensor) -> Gaussian:
    """Gaussian(z, hessian^-1) for places (b, d) and curvatures (b, d, d). Raises UserError where one is indefinite."""
    root, failed = torch.linalg.cholesky_ex(hessian)
    if bool(failed.any()):
        raise UserError(indefinite(solver, hessian))
    return Gaussian(z, torch.cholesky_inverse(root))


def laplace_free_energy(energy: Tensor, log_det: Tensor, size: int) -> Tensor:
    """E + log det H / 2 - d log(2 pi) / 2 in nats, (b,): exact for quadratic energies, otherwise no bound."""
    return energy + 0.5 * (log_det - size * math.log(2 * math.pi))


def indefinite(solver: str, hessian: Tensor) -> str:
    """What to say of curvatures (b, d, d) that are not those of a minimum."""
    if not bool(torch.isfinite(hessian).all()):
        return f"{solver} met an energy whose second derivatives are not finite: check the start and the energy"
    lowest = float(torch.linalg.eigvalsh(hessian).min())
    return (
        f"{solver} needs a positive definite Hessian, got a smallest eigenvalue of {lowest:.3g}: "
        "start nearer to a minimum, raise damping, or use gradient"
    )
