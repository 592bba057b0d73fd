"""Ties: what counts as equal among computed numbers, in their own unit and whatever is added to all of them."""

import torch
from torch import Tensor


def ties(values: Tensor, scale: Tensor | None = None, dim: int = -1) -> Tensor:
    """Whether each of `values` is the largest along `dim`, or as large but for rounding errors: bool, of their shape.

    It is as large as the largest where the two differ by at most eps^(3/4) times the larger of their scales: 12 decimal
    digits in float64, 5 in float32. The `scale` of a sum, shaped as `values`, is the sum of the magnitudes of what was
    added, which rounding errors are in proportion to where terms cancel; by default it is the magnitude of the value.
    Infinite values are equal to those of their sign.
    """
    size = (values if scale is None else scale).abs().nan_to_num(0.0, posinf=0.0)
    best = values.argmax(dim, keepdim=True)
    size = torch.maximum(size, size.gather(dim, best))
    least: Tensor = values.gather(dim, best) - torch.finfo(values.dtype).eps ** 0.75 * size
    return values >= least
