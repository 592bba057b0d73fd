"""What rounding leaves of a residual: tolerances are written for float64, and fewer digits cannot reach them."""

from collections.abc import Callable

import torch
from torch import Tensor


def above_rounding(residual: Tensor, size: Callable[[], Tensor], *, order: int = 1) -> Tensor:
    """The residual (b,), 0 where it is within what rounding leaves of it in a type of fewer digits than float64.

    That is (4 eps)^order x `size()` (b,), the magnitude of what cancels in it; `order` 2 for a residual that is
    quadratic in the distance from the minimum, as a decrement in nats. In float64 it stays as it is.
    """
    if residual.dtype == torch.float64:
        return residual
    limit = (4 * torch.finfo(residual.dtype).eps) ** order * size()
    return torch.where((residual <= limit) & limit.isfinite(), torch.zeros_like(residual), residual)


def magnitude(value: Tensor, hessian: Tensor, z: Tensor) -> Tensor:
    """The magnitude (b,) of an energy's terms at z (b, d), by its `hessian` (b, d, d): they may cancel in its value."""
    size = z.abs().unsqueeze(-1)
    return 1 + value.abs() + (size.mT @ hessian.abs() @ size).flatten(-2).squeeze(-1)


def largest(z: Tensor) -> Tensor:
    """The largest magnitude (b,) of the coordinates of a place (b, *event)."""
    return z.abs().flatten(1).amax(-1)
