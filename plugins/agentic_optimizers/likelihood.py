"""Learning a conditional by maximum likelihood: the ordinary way, when nothing is latent."""

from dataclasses import dataclass
from typing import final

import torch

from agentic import Conditional, Loss, UserError
from agentic_optimizers.rows import Lowered, Rows


@final
@dataclass(frozen=True)
class Likelihood(Loss):
    """Mean over rows (x, y) of -log p(y | x), in nats; of rows (x, x', ..., y) all but the last are given.

    Raises UserError for an energy that is not normalized, or rows of fewer than two tensors.
    """

    def __call__(self, module: Conditional, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        if not isinstance(module, Conditional):
            raise UserError(f"likelihood needs a Conditional, got {type(module).__name__}, which is not normalized")
        if len(rows) < 2:
            raise UserError(f"likelihood expects rows (x, y), got {len(rows)} tensor")
        value = module(rows[0] if len(rows) == 2 else rows[:-1], rows[-1]).mean()
        return value, {"energy": value.detach()}
