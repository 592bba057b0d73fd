"""Random courses of action in segments: pieces of 1 to 16 equal actions, drawn afresh."""

import torch
from torch import Tensor

from agentic import Box, Domain

LENGTHS = 5  # of segments: 1, 2, 4, 8, 16 steps, equally often
BEYOND = 1.5  # what lies beyond a box that is so much longer is moved to its edge: extremes are drawn often


def extremes(domain: Domain, count: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Random events (count, *event): uniform, of a box its edges about a third of the time."""
    drawn = domain.draw(count, generator=generator, dtype=dtype)
    if not isinstance(domain, Box):
        return drawn
    middle = domain.center(1, dtype).to(drawn)
    return domain.project(middle + BEYOND * (drawn - middle))


def lengths(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Random lengths of segments, whole numbers of `shape`."""
    return 2 ** torch.randint(LENGTHS, shape, generator=generator)


def courses(domain: Domain, steps: int, count: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Random courses (steps, count, *event): each in segments of one length, the first of them begun already."""
    drawn = extremes(domain, steps * count, generator, dtype)
    drawn = drawn.view(steps, count, *drawn.shape[1:])
    length = lengths((count,), generator)
    begun = (torch.rand(count, generator=generator) * length).long()
    index = ((torch.arange(steps).unsqueeze(-1) + begun) // length).clamp(max=steps - 1)
    return drawn[index, torch.arange(count)]
