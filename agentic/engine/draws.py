"""Random draws shaped like a tensor, and quadratures in their place.

Draws are made on the generator's device, whatever it is, and moved to the tensor's.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor


def normal_like(z: Tensor, generator: torch.Generator | None, *ahead: int) -> Tensor:
    """Standard normal draws (*ahead, *z.shape) of the type and on the device of `z`."""
    place = _source(z, generator)
    return torch.randn((*ahead, *z.shape), generator=generator, dtype=z.dtype, device=place).to(z.device)


def uniform_like(z: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draws uniform on [0, 1), of the shape and type and on the device of `z`."""
    return torch.rand(z.shape, generator=generator, dtype=z.dtype, device=_source(z, generator)).to(z.device)


def indices(probs: Tensor, generator: torch.Generator | None, n: int) -> Tensor:
    """`n` indices (n, *s, b) drawn by probabilities (*s, b, k), on their device."""
    flat = probs.reshape(-1, probs.shape[-1]).to(_source(probs, generator))
    index = torch.multinomial(flat, n, replacement=True, generator=generator).to(probs.device)
    return index.T.reshape(n, *probs.shape[:-1])


def permutation(rows: Tensor, generator: torch.Generator | None) -> Tensor:
    """The rows' numbers (n,) in random order, on the device of `rows` (n, ...)."""
    return torch.randperm(len(rows), generator=generator, device=_source(rows, generator)).to(rows.device)


class Quadrature(ABC):
    """A fixed set of points in place of draws from N(0, 1), the same at every call."""

    @abstractmethod
    def points(self, size: int) -> tuple[Tensor, Tensor]:
        """Points (k, size) and weights (k,) that sum to 1, float64."""


def _source(like: Tensor, generator: torch.Generator | None) -> torch.device:
    return like.device if generator is None else generator.device
