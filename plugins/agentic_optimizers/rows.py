"""Rows of data as energies take them, what is given first and what is free last; and noise shaped like them."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from agentic import UserError

Rows = tuple[Tensor, ...]  # each (n, ...)
Lowered = tuple[Tensor, Mapping[str, Tensor]]  # a loss in nats, a scalar, and what is worth knowing, by name


def given_and_free(rows: Rows) -> tuple[Any, Tensor]:
    """Of (z,) None and z; of (x, z) both; of (x, y, ..., z) the tuple (x, y, ...) and z. Raises UserError for none."""
    if not rows:
        raise UserError("a loss expects rows (z,) or (x, ..., z), got no tensors")
    *given, free = rows
    return (None if not given else given[0] if len(given) == 1 else tuple(given)), free


def normal_like(z: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal draws of the shape, type and device of `z`, whatever device the generator is on."""
    source = z.device if generator is None else generator.device
    return torch.randn(z.shape, generator=generator, dtype=z.dtype, device=source).to(z.device)


def uniform_like(z: Tensor, generator: torch.Generator | None) -> Tensor:
    """The same, uniform on [0, 1)."""
    source = z.device if generator is None else generator.device
    return torch.rand(z.shape, generator=generator, dtype=z.dtype, device=source).to(z.device)
