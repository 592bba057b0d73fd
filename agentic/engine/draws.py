"""Random draws shaped like a tensor, and quadratures in their place.

Draws are made on the generator's device, whatever it is, and moved to the tensor's. Torch's own generator is never
drawn from: where None is given for a generator and something must be drawn, UserError says so.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from agentic.errors import UserError


def checked_generator(generator: torch.Generator | None) -> torch.Generator:
    """The generator, which something is about to draw from. Raises UserError where none was given."""
    if generator is None:
        raise UserError("this draws at random: pass generator=torch.Generator().manual_seed(0), or another seed")
    return generator


def normal_like(z: Tensor, generator: torch.Generator | None, *ahead: int) -> Tensor:
    """Standard normal draws (*ahead, *z.shape) of the type and on the device of `z`."""
    source = checked_generator(generator)
    return torch.randn((*ahead, *z.shape), generator=source, dtype=z.dtype, device=source.device).to(z.device)


def uniform_like(z: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draws uniform on [0, 1), of the shape and type and on the device of `z`."""
    source = checked_generator(generator)
    return torch.rand(z.shape, generator=source, dtype=z.dtype, device=source.device).to(z.device)


def indices(probs: Tensor, generator: torch.Generator | None, n: int) -> Tensor:
    """`n` indices (n, *s, b) drawn by probabilities (*s, b, k), on their device."""
    source = checked_generator(generator)
    flat = probs.reshape(-1, probs.shape[-1]).to(source.device)
    index = torch.multinomial(flat, n, replacement=True, generator=source).to(probs.device)
    return index.T.reshape(n, *probs.shape[:-1])


def permutation(rows: Tensor, generator: torch.Generator | None) -> Tensor:
    """The rows' numbers (n,) in random order, on the device of `rows` (n, ...)."""
    source = checked_generator(generator)
    return torch.randperm(len(rows), generator=source, device=source.device).to(rows.device)


class Quadrature(ABC):
    """A fixed set of points in place of draws from N(0, 1), the same at every call."""

    @abstractmethod
    def points(self, size: int) -> tuple[Tensor, Tensor]:
        """Points (k, size) and weights (k,) that sum to 1, float64."""
