"""The information that one look gives about the member: H[mixture] - mean H of Gaussian members, and its bounds."""

from math import log
from typing import NamedTuple

import torch
from torch import Tensor


class GainBounds(NamedTuple):
    """Information about the member in nats, (*s, b).

    `matched` takes the mixture for a Gaussian of its moments, an upper bound, capped at ln members. `lower` and `upper`
    bound the mixture's entropy by pairwise Bhattacharyya and Kullback-Leibler divergences (Kolchinsky and Tracey 2017).
    """

    matched: Tensor
    lower: Tensor
    upper: Tensor


def gain_bounds(means: Tensor, variances: Tensor) -> GainBounds:
    """The bounds for equally likely Gaussians with diagonal covariances, means and variances (members, *s, b, d)."""
    spread = variances.log()
    gap = (means.unsqueeze(0) - means.unsqueeze(1)).square()
    middle = 0.5 * (variances.unsqueeze(0) + variances.unsqueeze(1))
    apart = middle.log() - 0.5 * (spread.unsqueeze(0) + spread.unsqueeze(1))
    chernoff = (0.125 * gap / middle + 0.5 * apart).sum(-1)
    ratio = spread.unsqueeze(1) - spread.unsqueeze(0)  # log variance of i over that of j, at (i, j)
    kullback = 0.5 * (gap / variances.unsqueeze(0) + ratio.exp() - 1 - ratio).sum(-1)
    return GainBounds(matched_gain(means, variances), _pairwise(chernoff), _pairwise(kullback))


def matched_gain(means: Tensor, variances: Tensor) -> Tensor:
    """The information about the member with the mixture taken for a Gaussian, the first bound of `gain_bounds`."""
    members, average = len(means), variances.mean(0)
    gap = (means - means.mean(0)) / average.sqrt()
    gram = torch.einsum("i...d,j...d->...ij", gap, gap) / members
    eye = torch.eye(members, dtype=gram.dtype, device=gram.device)
    between = torch.logdet(eye + gram)
    value = 0.5 * (between + (average.log() - variances.log().mean(0)).sum(-1))
    return value.clamp(0, log(members))


def _pairwise(distance: Tensor) -> Tensor:
    """-mean_i log mean_j exp(-distance (i, j, *s, b))."""
    return log(len(distance)) - torch.logsumexp(-distance, 1).mean(0)
