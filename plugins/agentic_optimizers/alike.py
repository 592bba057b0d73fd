"""Columns that are equal but for rounding errors, so that what is computed of one of them stands for all."""

import torch
from torch import Tensor

CLOSE = 16  # in units of eps: how far apart, relative to what is largest, numbers of equal columns may be


def alike(columns: Tensor) -> tuple[Tensor, Tensor]:
    """The first of each kind of columns (m, p), none negative: their numbers (k,), and the kind of every column (p,).

    Columns are sorted by one weighted sum each, and compared whole with the first of their kind.
    """
    close = CLOSE * torch.finfo(columns.dtype).eps
    weights = 0.5 + (torch.arange(1, len(columns) + 1, dtype=torch.float64).sqrt() % 1).to(columns)
    sums, order = (weights @ columns).sort(stable=True)
    group = torch.zeros_like(order)
    group[1:] = (sums.diff() > close * sums[1:]).cumsum(0)
    group = torch.empty_like(order).scatter_(0, order, group)
    own = torch.arange(len(order), device=order.device)
    first = torch.full_like(order, len(order)).scatter_reduce_(0, group, own, "amin")[group]
    same = ((columns - columns[:, first]).abs() <= close * columns.amax(0)).all(0)
    found: tuple[Tensor, Tensor] = torch.unique(torch.where(same, first, own), return_inverse=True)
    return found
