"""Small pictures made in code: seven-segment digits, shifted, slanted, of varying width and brightness, with noise."""

import torch
from torch import Tensor

SIDE = 8  # pixels
NOISE = 0.05  # standard deviation of every pixel's noise; brightness is about 1
#   ends of the segments a to g, in a frame from (-1, -1) to (1, 1)
SEGMENTS = torch.tensor(
    [
        [-1.0, -1.0, 1.0, -1.0],
        [1.0, -1.0, 1.0, 0.0],
        [1.0, 0.0, 1.0, 1.0],
        [-1.0, 1.0, 1.0, 1.0],
        [-1.0, 0.0, -1.0, 1.0],
        [-1.0, -1.0, -1.0, 0.0],
        [-1.0, 0.0, 1.0, 0.0],
    ]
)
DIGITS = ["abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"]
LIT = torch.tensor([[float(name in digit) for name in "abcdefg"] for digit in DIGITS])


def clean(count: int, *, generator: torch.Generator) -> Tensor:
    """Pictures without noise (count, SIDE * SIDE)."""

    def even(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, generator=generator)

    lit = LIT[torch.randint(10, (count,), generator=generator)]
    across, down, slant = even(-1.0, 1.0), even(-0.8, 0.8), even(-0.3, 0.3)
    wide, tall, thick, bright = even(1.4, 2.0), even(2.3, 2.8), even(0.5, 0.7), even(0.8, 1.2)
    ends = SEGMENTS.view(1, 7, 2, 2)
    y = tall.unsqueeze(-1) * ends[..., 1:] + down.unsqueeze(-1)
    x = wide.unsqueeze(-1) * ends[..., :1] - slant.unsqueeze(-1) * (y - down.unsqueeze(-1)) + across.unsqueeze(-1)
    first, last = torch.cat([x, y], -1).unbind(-2)  # (count, 7, 2)
    middle = (SIDE - 1) / 2
    place = torch.arange(SIDE) - middle
    pixels = torch.stack(torch.meshgrid(place, place, indexing="xy"), -1).view(1, 1, -1, 2)
    along = (last - first).unsqueeze(-2)
    share = ((pixels - first.unsqueeze(-2)) * along).sum(-1) / along.square().sum(-1)
    nearest = first.unsqueeze(-2) + share.clamp(0, 1).unsqueeze(-1) * along
    ink = torch.exp(-(pixels - nearest).square().sum(-1) / (2 * thick.square()))  # (count, 7, pixels)
    return bright.squeeze(-1) * (lit.unsqueeze(-1) * ink).amax(1)


def noisy(pictures: Tensor, *, generator: torch.Generator) -> Tensor:
    """The same with independent Gaussian noise on every pixel."""
    return pictures + NOISE * torch.randn(pictures.shape, generator=generator)
