"""Laplace's approximation: the Gaussian with an energy's place and curvature at a minimum, and its free energy."""

import math

import torch
from torch import Tensor

from agentic import Gaussian, Iterate, Solution, UserError


def laplace(solver: str, iterate: Iterate, hessian: Tensor, log_det: Tensor | None = None) -> Solution:
    """The belief Gaussian(z, hessian^-1) at an iterate's places (b, d) with curvatures (b, d, d), and its free energy.

    `log_det` (b,) is that of the curvature where it is known. Raises UserError where one is indefinite.
    """
    root = positive_root(solver, hessian)
    known = log_determinant(root) if log_det is None else log_det
    value = laplace_free_energy(iterate.value, known, iterate.z.shape[-1])
    return iterate.solution(Gaussian(iterate.z, torch.cholesky_inverse(root)), value, "free_energy")


def laplace_free_energy(energy: Tensor, log_det: Tensor, size: int) -> Tensor:
    """Laplace's free energy E + log det H / 2 - d log(2 pi) / 2 in nats, (b,): exact for quadratics, else no bound."""
    return energy + 0.5 * (log_det - size * math.log(2 * math.pi))


def log_determinant(root: Tensor) -> Tensor:
    """The log determinant of H (b,) from its Cholesky factor (b, d, d)."""
    value: Tensor = 2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return value


def positive_root(
    solver: str,
    hessian: Tensor,
    damping: float = 0.0,
    *,
    needs: str = "a positive definite Hessian",
    remedy: str = "start nearer to a minimum, raise damping, or use gradient",
) -> Tensor:
    """The Cholesky factor (b, d, d) of curvatures, `damping` added to their diagonal.

    Raises UserError where that is not positive definite.
    """
    eye = torch.eye(hessian.shape[-1], dtype=hessian.dtype, device=hessian.device)
    found = torch.linalg.cholesky_ex(hessian + damping * eye if damping else hessian)
    if bool(found.info.any()):
        if not bool(torch.isfinite(hessian).all()):
            raise UserError(
                f"{solver} met an energy whose second derivatives are not finite: check the start and the energy"
            )
        lowest = float(torch.linalg.eigvalsh(hessian).min())
        raise UserError(f"{solver} needs {needs}, got a smallest eigenvalue of {lowest:.3g}: {remedy}")
    root: Tensor = found.L
    return root
