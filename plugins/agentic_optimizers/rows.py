"""Rows of data as energies take them, what is given first and what is free last."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from agentic import UserError

Rows = tuple[Tensor, ...]  # each (n, ...)
Lowered = tuple[Tensor, Mapping[str, Tensor]]  # a loss in nats, a scalar, and what is worth knowing, by name


def given_and_free(rows: Rows) -> tuple[Any, Tensor]:
    """The given and the free part of rows: None and z of (z,), x and z of (x, z), (x, y, ...) and z of (x, y, ..., z).

    Raises UserError for no rows.
    """
    if not rows:
        raise UserError("a loss expects rows (z,) or (x, ..., z), got no tensors")
    *given, free = rows
    return (None if not given else given[0] if len(given) == 1 else tuple(given)), free
