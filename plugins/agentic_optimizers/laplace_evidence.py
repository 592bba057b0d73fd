"""Learning by the Laplace approximation of the evidence: settled energy plus the log determinant of its curvature."""

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic import Energy, RunError, UserError
from agentic_optimizers.laplace import laplace_free_energy, log_determinant
from agentic_optimizers.rows import Lowered, Rows
from agentic_optimizers.settled import Joint, SettledLoss, refuse_unnormalized, settling

LARGEST = 64


@final
@dataclass(frozen=True)
class LaplaceEvidence(SettledLoss):
    """Laplace's evidence: the mean of E(x, z*) + log det H(x, z*) / 2 - d log(2 pi) / 2 + log Z in nats (MacKay 1992).

    Z is the joint's normalizer, z* where `solver` ends, H the second derivatives there: exact minus log evidence where
    the energy is quadratic in z, no bound elsewhere. The log determinant rises with louder decoders, so that nothing
    collapses as E(x, z*) does. The gradient is exact at a settled z*: it counts how H moves with z* (implicit function
    theorem), and nothing is differentiated through the settling. Rows, `over` and `warm_start` are those of
    `SettledLoss`, what is reported that of `Settled`.

    Raises UserError for more than 64 latents and, unless `allow_collapse`, for an energy whose normalizer is unknown;
    RunError where H is not positive definite (not a minimum).
    """

    def __call__(self, module: Energy, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        if not self.allow_collapse:
            refuse_unnormalized(module)
        x, solution = self.settle(module, rows, generator)
        z = solution.belief.mean
        if z.dim() != 2 or z.shape[-1] > LARGEST:
            raise UserError(f"LaplaceEvidence takes vectors of at most {LARGEST} latents, got {tuple(z.shape[1:])}")
        energy, log_det = module(x, z).mean(), settled_log_determinant(module, x, z).mean()
        value = laplace_free_energy(energy, log_det, z.shape[-1])
        if isinstance(module, Joint):
            value = value + module.joint_log_normalizer()
        info = {"energy": energy.detach(), "log_determinant": log_det.detach(), "free_energy": value.detach()}
        return value, info | settling(solution)


def settled_log_determinant(module: Energy, x: Any, z: Tensor) -> Tensor:
    """The log determinant of d2E/dz2 at settled latents `z` (b, d), (b,), with its whole derivative by the weights.

    With H^-1 = sum_k u_k u_k' the derivative of log det H is that of sum_k u_k' H u_k, u held fixed, taken where
    z = z* - H^-1 (dE/dz - its value) stands for how z* moves with the weights.
    """
    with torch.no_grad():
        root, failed = torch.linalg.cholesky_ex(module.hessian(x, z))
        if bool(failed.any()):
            rows = failed.nonzero().flatten().tolist()
            raise RunError(f"the energy has no minimum where rows {rows[:8]} ended: settle them longer, or with newton")
        eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device).expand_as(root)
        directions = torch.linalg.solve_triangular(root.mT, eye, upper=True).movedim(-1, 0)  # (d, b, d), the u_k
        known = log_determinant(root)
    if not torch.is_grad_enabled():
        return known
    slope = module.gradient(x, z.detach().requires_grad_())
    moved = z - torch.cholesky_solve((slope - slope.detach()).unsqueeze(-1), root).squeeze(-1)
    places = moved.expand_as(directions)
    turned = torch.autograd.grad((module.gradient(x, places) * directions).sum(), places, create_graph=True)[0]
    change: Tensor = (turned * directions).sum((0, -1))
    known += change - change.detach()
    return known
