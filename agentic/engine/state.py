"""States: what is remembered between calls, as values that are passed in and returned.

Frozen dataclasses, tuples and mappings of tensors with the batch first, or of values that merge their own rows.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

State = Any  # only its own agent or solver looks inside


def select(mask: Tensor, fresh: State, old: State) -> State:
    """The state with the rows of `fresh` where `mask` (b,) is true and those of `old` elsewhere, as episodes end.

    Walks frozen dataclasses, tuples, lists and mappings; calls `.where(mask, other)` on what has it (beliefs and
    plans do); otherwise takes axis 0 of a tensor as batch. Anything else must be equal on both sides and is kept.

    Raises TypeError for a part that is not batched and differs.
    """
    if fresh is old:
        return old
    if isinstance(fresh, Tensor):
        return torch.where(mask.view(-1, *[1] * (fresh.dim() - 1)), fresh, old)
    if hasattr(fresh, "where"):
        return fresh.where(mask, old)
    if is_dataclass(fresh) and not isinstance(fresh, type):
        parts = {f.name: select(mask, getattr(fresh, f.name), getattr(old, f.name)) for f in fields(fresh)}
        return replace(fresh, **parts)
    if isinstance(fresh, Mapping):
        return {key: select(mask, fresh[key], old[key]) for key in fresh}
    if isinstance(fresh, tuple) and hasattr(fresh, "_make"):
        return fresh._make(select(mask, a, b) for a, b in zip(fresh, old, strict=True))
    if isinstance(fresh, tuple | list):
        return type(fresh)(select(mask, a, b) for a, b in zip(fresh, old, strict=True))
    if fresh != old:
        raise TypeError(
            f"a state holds {fresh!r} after a reset and {old!r} before: give it a tensor or a `where` method"
        )
    return old
