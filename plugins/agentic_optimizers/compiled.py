"""Opt-in compilation of stretches of a solver that draw no chance: many small operations become few.

A call of compiled code costs some twenty microseconds, so that what is worth compiling is a loop or a whole rollout.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from agentic import Objective, UserError
from agentic_optimizers.checks import modules_in

LIMIT = 64  # compiled stretches that are kept, the least recently used dropped first

_kept: OrderedDict[Hashable, Callable[..., Any]] = OrderedDict()


def compiled(function: Callable[..., Any], solver: Any, f: Objective, *arguments: Any) -> Any:
    """The value of `function(solver, f, *arguments)` by `torch.compile`, for fixed shapes; slow the first time only.

    One compilation serves a solver, the modules in `f`, and every shape, dtype and device; the numbers in tensors (what
    is observed or believed) may differ from call to call. Raises UserError where torch cannot follow the objective.
    """
    key = (function, _outline((solver, f, *arguments)))
    if key not in _kept:
        _kept[key] = torch.compile(_own(function), fullgraph=True, dynamic=False)
        if len(_kept) > LIMIT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    try:
        return _kept[key](solver, f, *arguments)
    except torch._dynamo.exc.TorchDynamoException as reason:
        del _kept[key]
        said = next(iter(str(reason).strip().splitlines()), type(reason).__name__)
        raise UserError(
            f"{type(solver).__name__} could not compile {type(f).__name__} of {modules_in(f)} ({said}): leave compile "
            "out"
        ) from reason


def _outline(part: Any) -> Hashable:
    """What tells compilations apart: the layout of tensors, modules as such, everything else by value."""
    if isinstance(part, Tensor):
        return part.shape, part.dtype, part.device
    if isinstance(part, nn.Module):
        return id(part)
    if isinstance(part, tuple | list):
        return (type(part), *map(_outline, part))
    if isinstance(part, Objective) or is_dataclass(part):
        named = [each.name for each in fields(part)] if is_dataclass(part) else vars(part)
        return (type(part), *[_outline(getattr(part, name)) for name in named])
    return part if isinstance(part, Hashable) else id(part)


def _own(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a code object of its own: torch counts compilations per code object, and gives up after 8."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__.replace(), function.__globals__, function.__name__, function.__defaults__)
