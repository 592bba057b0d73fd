"""What was made from tensors and is kept: it stands until one of them changes."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor


class Made(NamedTuple):
    """Something made from tensors, which stands until one of them is replaced, written to, or asked for gradients."""

    tensors: Sequence[Tensor]
    versions: list[int]
    what: Any
    graded: bool

    @classmethod
    def of(cls, tensors: Sequence[Tensor], what: Any) -> Self:
        """`what`, made from `tensors` as they are now."""
        return cls(tensors, [tensor._version for tensor in tensors], what, torch.is_grad_enabled())

    def stands(self, tensors: Sequence[Tensor]) -> bool:
        """Whether these are the same tensors, none was written to, and gradients that are wanted are there."""
        if torch.is_grad_enabled() and not self.graded and any(tensor.requires_grad for tensor in tensors):
            return False
        held = zip(self.tensors, self.versions, tensors, strict=True)
        return all(before is now and version == now._version for before, version, now in held)
