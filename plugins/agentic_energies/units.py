"""Whether numbers are of a size that an ensemble can be taught of, said before nothing comes of it."""

import warnings
from math import sqrt

import torch
from torch import Tensor

from agentic import RunError
from agentic.errors import ThirdPartyWarning

CONSTANT = 1e-6  # spread, as a share of the size, below which what was seen is taken for constant: its unit is 1
SPARE = 1e-4  # sizes whose squares still leave so much room


def check_size(what: str, values: Tensor) -> None:
    """Raise RunError where some of `values` (n, d) are no numbers, or so large that their squares are none."""
    limit = SPARE * sqrt(torch.finfo(values.dtype).max)
    for number, reach in enumerate(values.abs().amax(0).tolist()):
        if not reach <= limit:
            raise RunError(
                f"{what} {number} reaches {reach:.3g}, and an ensemble of {str(values.dtype)[6:]} numbers learns of "
                f"none beyond {limit:.0e}: divide it by a unit (gymnasium.wrappers.Transform{what.title()})"
            )


def warn_of_small(what: str, values: Tensor) -> None:
    """Warn of columns of `values` (n, d) that vary, but so little that they are taken for constant."""
    spread, size = values.std(0, correction=0), values.abs().amax(0)
    small = (spread > CONSTANT * size) & (spread <= CONSTANT * (1 + values.mean(0).abs()))
    for number in small.nonzero().flatten().tolist():
        words = (
            f"{what} {number} varies by {float(spread[number]):.3g} and is taken for constant: if it means something "
            f"divide it by a unit (gymnasium.wrappers.Transform{what.title()})"
        )
        warnings.warn(words, ThirdPartyWarning, stacklevel=2)
