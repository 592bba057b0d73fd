"""A loss that forgives outliers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic import Loss, Trainable, UserError


@final
@dataclass(frozen=True)
class Squashed(Loss):
    """scale x asinh(L / scale) of the module's own loss L. Info: `unsquashed`, L itself."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise UserError(f"expected scale > 0, got {self.scale}")

    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        if not isinstance(module, Trainable):
            raise UserError(f"squashed needs a model that has a loss, got {type(module).__name__}")
        value, info = module.loss(module, rows, generator=generator)
        return self.scale * torch.asinh(value / self.scale), {**info, "unsquashed": value.detach()}
