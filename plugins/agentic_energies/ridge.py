"""Ridge regression whose strength is chosen by the data: each output by the error of leaving samples out in turn."""

import torch
from torch import Tensor

STRENGTHS = (1e-6, 1e-4, 1e-2, 1.0)  # per sample, in squared units of the inputs


def ridge(x: Tensor, y: Tensor) -> Tensor:
    """Weights (p, d) that predict y (n, d) from x (n, p), both centered; computed in float64.

    Of each output the strength with the least squared leave-one-out error, in closed form (Allen 1974).
    """
    u, s, v = torch.linalg.svd(x.double(), full_matrices=False)
    target = u.T @ y.double()
    errors, weights = [], []
    for strength in STRENGTHS:
        kept = s.square() / (s.square() + strength * len(x))
        leverage = (u.square() * kept).sum(-1, keepdim=True).clamp(max=1 - 1e-6)
        left = y.double() - u @ (kept.unsqueeze(-1) * target)
        errors.append((left / (1 - leverage)).square().mean(0))
        weights.append(v.T @ ((kept / s.clamp(min=1e-300)).unsqueeze(-1) * target))
    best = torch.stack(errors).argmin(0)
    return torch.stack(weights)[best, :, torch.arange(y.shape[-1], device=y.device)].T.to(y)
