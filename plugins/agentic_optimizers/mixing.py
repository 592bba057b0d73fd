"""Diagnostics of how well chains have mixed: effective sample sizes and R-hat, computed when they are asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log10
from typing import final

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

MIXING = ("ess", "r_hat")


@final
@dataclass(frozen=True)
class Diagnostics(Mapping[str, Tensor]):
    """Diagnostics of draws (k, b, *event), by name.

    `ess` (b,) is the smallest effective sample size of a row's coordinates; `r_hat` (b,) the largest R-hat: over all
    rows where they are chains of one target (`shared`), else of each row's two halves. Both cost a pass over all
    draws, so that they wait until looked up. `informed` is what the sampler itself counted.
    """

    draws: Tensor
    shared: bool
    known: Mapping[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        if name not in MIXING:
            return self.known[name]
        flat = self.draws.flatten(2)
        if name == "ess":
            return effective_samples(flat).amin(-1)
        if self.shared:
            return r_hat(flat).amax(-1).expand(flat.shape[1])
        return torch.stack([r_hat(row).amax(-1) for row in flat.split(1, 1)])

    def __iter__(self) -> Iterator[str]:
        return iter((*self.known, *MIXING))

    def __len__(self) -> int:
        return len(self.known) + len(MIXING)


def effective_samples(draws: Tensor) -> Tensor:
    """The effective sample size of each column of `draws` (k, ...): (...).

    k over the integrated autocorrelation time by Geyer's (1992) initial monotone sequence; capped at k log10 k, as for
    antithetic chains it may exceed k. A column that does not move is worth one draw; fewer than four draws are worth
    their number.
    """
    count = len(draws)
    if count < 4:
        return draws.new_full(draws.shape[1:], float(count))
    covariance = _autocovariance(draws)
    correlation = covariance / covariance[:1]
    pairs = correlation[: count - count % 2].unflatten(0, (-1, 2)).sum(1)
    falling = pairs.cummin(0).values.clamp(min=0)
    time = (2 * falling.sum(0) - 1).clamp(min=1 / log10(count))
    return torch.where(covariance[0] > 0, count / time, torch.ones_like(time))


def r_hat(draws: Tensor) -> Tensor:
    """Rank-normalized R-hat of chains `draws` (k, chains, ...), each split in two: (...), near 1 once they agree.

    The larger of that of the draws and that of their distances from the median, which tells of scales that differ, each
    of the normal scores of ranks over all chains, whatever the tails (Vehtari, Gelman, Simpson, Carpenter and Buerkner
    2021). NaN for fewer than four draws or where no chain ever moves; infinite where chains rest in different places.
    """
    half = len(draws) // 2
    if half < 2:
        return draws.new_full(draws.shape[2:], torch.nan)
    halves = torch.cat([draws[:half], draws[-half:]], 1).double()
    middle = torch.as_tensor(np.median(halves.flatten(0, 1).numpy(force=True), axis=0)).to(halves)
    return torch.fmax(_split_r_hat(_scores(halves)), _split_r_hat(_scores((halves - middle).abs()))).to(draws.dtype)


def _split_r_hat(halves: Tensor) -> Tensor:
    """Potential scale reduction of half chains (k, chains, ...): Gelman et al. (2013), section 11.4."""
    count, within, between = len(halves), halves.var(0).mean(0), halves.mean(0).var(0)
    return ((count - 1) / count + between / within).sqrt()


def _scores(draws: Tensor) -> Tensor:
    """Normal scores of the ranks of draws (k, chains, ...) over all chains; equal draws share their mean rank."""
    flat = draws.flatten(0, 1)
    ranks = torch.from_numpy(rankdata(flat.numpy(force=True), axis=0)).to(flat)
    scores: Tensor = torch.special.ndtri((ranks - 0.375) / (len(flat) + 0.25))
    return scores.view_as(draws)


def _autocovariance(draws: Tensor) -> Tensor:
    """Of every lag (k, ...), by the fast Fourier transform, in float64; divided by k."""
    count = len(draws)
    centered = draws.double() - draws.double().mean(0)
    spectrum = torch.fft.rfft(centered, n=2 * count, dim=0)
    power = spectrum.real.square() + spectrum.imag.square()
    covariance: Tensor = torch.fft.irfft(power, n=2 * count, dim=0)[:count] / count
    return covariance
