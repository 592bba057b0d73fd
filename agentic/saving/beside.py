"""What changes beside the objects of a tree, in modules, classes and what functions hold: seen, and not saved."""

import sys
from collections import deque
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from itertools import count, cycle
from random import Random
from types import BuiltinFunctionType, FunctionType, MethodWrapperType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agentic.saving.capture import CLOSED, Fixtures
from agentic.saving.values import attributes, is_fixed

Mark = Any  # what two things of one kind have in common where they hold the same
MOST = 2_000  # things that are looked at in one place: more would take longer than a checkpoint
KNOWN = {*CLOSED, "agentic", "gymnasium"}  # packages whose modules and classes keep nothing that numbers depend on
STREAMS = (Random, np.random.RandomState, np.random.Generator, torch.Generator)


class Beside:
    """The marks of all that functions, classes and modules held when it was made; `changed` names what is another.

    Of the objects of the tree itself, which `fixtures` know, only that they are the same.
    """

    def __init__(self, fixtures: Fixtures) -> None:
        self._fixtures = fixtures
        self._classes = [each for each in fixtures.names.values() if _top(each) not in KNOWN]
        self._kept = list[Any]()
        self._marks = self._marked()

    def changed(self) -> list[str]:
        """Where something changed since, by name."""
        now = self._marked()
        return sorted(place for place, mark in self._marks.items() if now.get(place, mark) != mark)

    def _marked(self) -> dict[str, Mark]:
        found = dict[str, Mark]()
        for place, thing in self._places():
            if place not in found:
                walk = _Marks(self._fixtures, self._kept)
                mark = walk.of(thing)
                found[place] = mark if walk.left >= 0 else "more than is looked at"
        return found

    def _places(self) -> Iterator[tuple[str, Any]]:
        modules = set[str]()
        for path, thing in self._fixtures.things.items():
            yield from ((f"{path.removeprefix('.')} ({name})", part) for name, part in _held(thing))
            if isinstance(thing, FunctionType) and _top(thing) not in KNOWN:
                modules.add(_module(thing))
        for cls in dict.fromkeys(base for each in self._classes for base in each.__mro__ if _top(base) not in KNOWN):
            modules.add(_module(cls))
            for name, part in list(vars(cls).items()):
                yield from ((f"{cls.__qualname__}.{name} ({inner})", each) for inner, each in _held(part))
                if not name.startswith(("__", "_abc_")):
                    yield f"{cls.__qualname__}.{name}", part
        for name in modules:
            yield from _globals(name)


def _globals(name: str) -> Iterator[tuple[str, Any]]:
    for key, part in list(vars(sys.modules.get(name, sys.modules[__name__])).items()):
        if not key.startswith("__") and not isinstance(part, type | ModuleType):
            yield f"{name}.{key}", part


def _top(thing: Any) -> str:
    return _module(thing).partition(".")[0]


def _module(thing: Any) -> str:
    """The module of a class or function; empty where an extension gave it none."""
    try:
        return str(thing.__module__)
    except AttributeError:
        return ""


def _held(thing: Any) -> Iterator[tuple[str, Any]]:
    """What a function holds beside its code, by name."""
    if isinstance(thing, staticmethod | classmethod):
        thing = thing.__func__
    if isinstance(thing, FunctionType):
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True):
            try:
                yield name, cell.cell_contents
            except ValueError:  # nothing yet
                continue
        more: dict[str, Any] = {**(thing.__kwdefaults__ or {}), **vars(thing)}
        yield from (("its defaults", each) for each in [thing.__defaults__] if each)
        yield from ((name, each) for name, each in more.items() if not name.startswith("__"))
    elif isinstance(thing, partial):
        yield "its arguments", [thing.args, thing.keywords]
        yield from _held(thing.func)
    elif isinstance(thing, BuiltinFunctionType | MethodWrapperType):
        owner = thing.__self__
        if not isinstance(owner, type | ModuleType | None):
            yield "its object", owner


class _Marks:
    """The marks of one thing and of all that it holds, no more than so many."""

    def __init__(self, fixtures: Fixtures, kept: list[Any]) -> None:
        self.fixtures, self.kept, self.open, self.left = fixtures, kept, set[int](), MOST

    def of(self, thing: Any) -> Mark:
        self.left -= 1
        if self.left < 0 or id(thing) in self.open:
            return None
        if isinstance(thing, STREAMS):
            return id(thing) if self.fixtures.had(thing) else _drawn(thing)
        if isinstance(thing, np.ndarray | Tensor):
            return _bytes(thing)
        if isinstance(thing, bool | int | float | complex | str | bytes | bytearray | np.generic | count | cycle):
            return type(thing).__name__, repr(thing)
        self.open.add(id(thing))
        try:
            return self._within(thing)
        finally:
            self.open.discard(id(thing))

    def _within(self, thing: Any) -> Mark:
        if isinstance(thing, dict):
            return [(self.of(key), self.of(part)) for key, part in list(thing.items())]
        if isinstance(thing, list | tuple | set | frozenset | deque):
            return [self.of(part) for part in list(thing)]
        alone = not (is_fixed(thing) or isinstance(thing, type) or self.fixtures.had(thing))
        own = attributes(thing) if alone else None
        if own is None:
            self.kept.append(thing)  # so that no other thing gets its id
            return id(thing)
        return [(name, self.of(part)) for name, part in own.items()]


def _drawn(thing: Any) -> Mark:
    if isinstance(thing, np.random.Generator):
        return repr(thing.bit_generator.state)
    if isinstance(thing, torch.Generator):
        return thing.get_state().numpy().tobytes()
    try:
        return repr(thing.getstate() if isinstance(thing, Random) else thing.get_state())
    except NotImplementedError:  # of the system
        return None


def _bytes(thing: np.ndarray | Tensor) -> Mark:
    if isinstance(thing, Tensor):
        plain = thing.device.type == "cpu" and thing.layout is torch.strided and not thing.is_quantized
        if not plain or thing.is_inference() or thing.is_conj() or thing.is_neg():
            return tuple(thing.shape)
        thing = thing.detach().contiguous().reshape(-1).view(torch.uint8).numpy()
    if thing.dtype.hasobject:
        return thing.shape
    return thing.shape, sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()
