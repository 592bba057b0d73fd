"""Opt-in compilation of stretches of a solver that draw no chance: many small operations become few.

A call of compiled code costs some twenty microseconds, so that what is worth compiling is a loop, never one step.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from agentic import Objective, UserError

LIMIT = 64  # compiled stretches that are kept, the least recently used dropped first

_kept: OrderedDict[Hashable, Callable[..., Any]] = OrderedDict()


def compiled(function: Callable[..., Any], solver: Hashable, f: Objective, z: Tensor, *more: Any) -> Any:
    """`function(solver, f, z, *more)` by `torch.compile`, for fixed shapes; seconds the first time, then fast.

    One compilation serves a solver, the modules in `f`, a shape, a dtype and a device; whatever else `f` holds (what
    is observed) may differ from call to call. Raises UserError where torch cannot follow the objective.
    """
    numbers = tuple(each for each in more if isinstance(each, int))
    key = (function, solver, type(f), _modules(f), tuple(z.shape), z.dtype, z.device, numbers)
    if key not in _kept:
        _kept[key] = torch.compile(_own(function), fullgraph=True, dynamic=False)
        if len(_kept) > LIMIT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    try:
        return _kept[key](solver, f, z, *more)
    except torch._dynamo.exc.TorchDynamoException as reason:
        del _kept[key]
        raise UserError(
            f"{type(solver).__name__} could not compile {type(f).__name__} ({_line(reason)}): leave compile out"
        ) from reason


def _modules(f: Objective) -> tuple[int, ...]:
    """What tells apart the modules in an objective, or in one within it."""
    parts = vars(f).values()
    inner = [number for part in parts if isinstance(part, Objective) for number in _modules(part)]
    return (*(id(part) for part in parts if isinstance(part, nn.Module)), *inner)


def _own(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a code object of its own: torch counts compilations per code object, and gives up after 8."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__.replace(), function.__globals__, function.__name__, function.__defaults__)


def _line(reason: Exception) -> str:
    return next(iter(str(reason).strip().splitlines()), type(reason).__name__)
