"""Row-wise derivatives by autograd, for energies, objectives and beliefs that have no closed form of their own."""

from typing import Any

import torch
from torch import Tensor

from agentic.errors import UserError


def real(value: Any) -> Tensor:
    """What an energy returned. Raises UserError where it is no tensor of real numbers."""
    if isinstance(value, Tensor) and value.is_floating_point():
        return value
    found = f"a tensor of {value.dtype}" if isinstance(value, Tensor) else type(value).__name__
    raise UserError(f"an energy returned {found}, where a tensor of real numbers is wanted, one per row")


def row_value_and_gradient(function: Any, z: Tensor) -> tuple[Tensor, Tensor]:
    """A function of (*s, b, *event) to (*s, b) and its row-wise gradient, both differentiable where `z` already is.

    Raises UserError for values of another shape or kind, and for those that are cut off from `z`.
    """
    if torch.compiler.is_compiling():  # which cannot follow autograd.grad
        slope, value = torch.func.grad(lambda free: _total_and_rows(function(free)), has_aux=True)(z)
        return value, slope
    with torch.enable_grad():
        free = z if z.requires_grad else z.detach().requires_grad_()
        value = real(function(free))
        if not value.requires_grad:
            raise UserError(
                "an energy does not depend on its variable, or was cut off from it (detach, item, round to integers): "
                "compute it with torch from that variable"
            )
        if value.dim() and z.dim() > 1 and value.shape[-1] not in z.shape[:-1]:
            shapes = f"{tuple(value.shape)} at a place of shape {tuple(z.shape)}"
            raise UserError(f"an energy has shape {shapes}, where (*samples, batch) is wanted: sum over the last axes")
        slope = torch.autograd.grad(value.sum(), free, create_graph=z.requires_grad)[0]
    return (value, slope) if z.requires_grad else (value.detach(), slope)


def _total_and_rows(value: Tensor) -> tuple[Tensor, Tensor]:
    return value.sum(), value


def row_jacobian(gradient: Any, z: Tensor) -> Tensor:
    """Row-wise derivative of a gradient (*s, b, d): (*s, b, d, d), one backward pass per column."""
    with torch.enable_grad():
        free = z.detach().requires_grad_()
        slope = gradient(free)
        if not slope.requires_grad:
            return torch.zeros(*z.shape, z.shape[-1], dtype=z.dtype, device=z.device)
        rows = [
            torch.autograd.grad(
                slope[..., i].sum(), free, retain_graph=True, materialize_grads=True, allow_unused=True
            )[0]
            for i in range(z.shape[-1])
        ]
    return torch.stack(rows, -2)
