"""Values that hold nothing of their own: what can be written as it is, and what is only ever pointed at."""

import re
from collections import OrderedDict, defaultdict, deque
from enum import Enum
from functools import partial
from operator import attrgetter, itemgetter, methodcaller
from pathlib import PurePath
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np
import torch

Fixed = (
    *(FunctionType, BuiltinFunctionType, MethodWrapperType, WrapperDescriptorType, MethodDescriptorType),
    *(GetSetDescriptorType, MemberDescriptorType, ModuleType, type, property, staticmethod, classmethod, partial),
    *(itemgetter, attrgetter, methodcaller),
    *(torch.dtype, torch.device, torch.layout, np.dtype, np.ufunc, Enum, re.Pattern, PurePath, range, slice),
)
BASIC = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)
HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE
CONTAINERS = (list, tuple, dict, set, frozenset, deque, defaultdict, OrderedDict)


def is_plain(value: Any) -> bool:
    """Whether JSON has this value, to the bit."""
    return value is None or type(value) in (bool, str) or (type(value) is int and value.bit_length() < 4096)


def is_basic(cls: type) -> bool:
    """Whether a class is one of plain values, which does nothing but make them."""
    return cls in BASIC or (issubclass(cls, np.generic) and not cls.__flags__ & HEAP)


def is_fixed(value: Any) -> bool:
    """Whether nothing that happens in a run changes this value, so that a run made anew has the same."""
    if isinstance(value, MethodType):
        return False
    return (
        isinstance(value, Fixed)
        or "py_func" in getattr(value, "__dict__", {})
        or type(value).__name__ == "_lru_cache_wrapper"
    )


def attributes(thing: Any) -> dict[str, Any] | None:
    """What an object made of attributes has; None for other objects, whose insides nobody can see."""
    cls = type(thing)
    if not _made_by_statement(cls) or not all(map(_made_by_statement, set(cls.__mro__) - {object, *CONTAINERS})):
        return None
    return {
        **{name: getattr(thing, name) for name in slots(cls) if hasattr(thing, name)},
        **getattr(thing, "__dict__", {}),
    }


def slots(cls: type) -> list[str]:
    """The names of the slots of a class and of those above it."""
    found = list[str]()
    for base in cls.__mro__:
        own = vars(base).get("__slots__", ())
        for name in [own] if isinstance(own, str) else own:
            private = name.startswith("__") and not name.endswith("__")
            found.append(f"_{base.__name__.lstrip('_')}{name}" if private else name)
    return [name for name in found if name not in ("__dict__", "__weakref__")]


def _made_by_statement(cls: type) -> bool:
    """Whether a class was written in Python; what C makes has a function of its own that makes objects."""
    own = vars(cls)
    written = bool(cls.__flags__ & HEAP) and isinstance(own.get("__module__"), str)
    return written and isinstance(own.get("__new__", staticmethod), staticmethod | type)
