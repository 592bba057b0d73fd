"""The capture of a tree of objects: all that it holds as a tree of plain values, and arrays beside it.

Objects made of attributes are looked into, whoever wrote them, so that a plugin need not do anything to be saved. What
offers `get_state` and `set_state` is saved by what it says; attributes that a class names in `unchanged` are left out,
and so are functions, types and other things that no run changes: they are pointed at, by where they were in the
beginning.
"""

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import Enum
from functools import cached_property
from random import Random, SystemRandom
from struct import pack
from types import FunctionType, MappingProxyType, MethodType
from typing import Any
from weakref import ReferenceType

import numpy as np
import torch
from torch import Tensor, nn

from agentic.errors import BREAKS, described
from agentic.saving.arrays import Arrays, Node
from agentic.saving.leaves import Unsavable, keeps_order, member, named, seen, small, spawned
from agentic.saving.values import attributes, is_basic, is_fixed, is_plain

Tree = Any  # what JSON has
CHANCE = (np.random.Generator, np.random.RandomState, Random, torch.Generator)  # which a get_state may leave out

CLOSED = {*sys.stdlib_module_names, "__main__", "numpy", "torch"}  # of these only classes that the tree has objects of
STATES = ("torch.nn.", "torch.optim.", "torch.distributions.")  # and those that are made of attributes alone


class Fixtures:
    """The things of a tree that are only pointed at, by path, as the tree was when it was made."""

    def __init__(self, root: Any, foreign: tuple[Any, ...] = ()) -> None:
        self.things = dict[str, Any]()
        self.names: dict[str, Any] = {named(cls): cls for cls in (Counter, OrderedDict, defaultdict)}
        self._foreign = {id(each) for each in foreign}
        self._seen = dict[int, Any]()
        self._walk(root, "")
        self.packages = {name.partition(":")[0].partition(".")[0] for name in self.names} - CLOSED
        self.paths = {id(thing): path for path, thing in reversed(self.things.items())}

    def is_fixed(self, thing: Any) -> bool:
        """Whether a thing is pointed at only."""
        return id(thing) in self._foreign or is_fixed(thing)

    def class_of(self, name: str) -> Any:
        """The class of that name, where the tree has objects of it or of one beside it, else None; imports nothing."""
        if (known := self.names.get(name)) is not None:
            return known
        module, _, path = name.partition(":")
        beside = module.partition(".")[0] in self.packages or module.startswith(STATES)
        found: Any = sys.modules.get(module) if beside else None
        for part in path.split("."):
            found = vars(found).get(part) if hasattr(found, "__dict__") else None
        plain = isinstance(found, type) and named(found) == name and not hasattr(found, "__del__")
        return found if plain else None

    def had(self, thing: Any) -> bool:
        """Whether a thing was in the tree when it was made."""
        return self._seen.get(id(thing)) is thing

    def _walk(self, root: Any, path: str) -> None:
        waiting = deque([(path, root)])
        while waiting:
            with suppress(*BREAKS):  # somebody else's, that breaks when it is looked into: `capture` will say so
                waiting.extend(self._parts(*reversed(waiting.popleft())))

    def _parts(self, thing: Any, path: str) -> list[tuple[str, Any]]:
        """The parts of a thing that was not seen before, which is noted."""
        if is_plain(thing) or isinstance(thing, float | Tensor | np.ndarray) or id(thing) in self._seen:
            return []
        self._seen[id(thing)] = thing  # kept, so that no other thing gets its id
        if self.is_fixed(thing):
            self.things.setdefault(path, thing)
            if isinstance(thing, Enum):
                self.names[named(type(thing))] = type(thing)
            return []
        self.names[named(type(thing))] = type(thing)
        return [*_inside(thing, path)]


def _inside(thing: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The parts of a thing that may have things to point at, each with its path."""
    if isinstance(thing, MethodType):
        yield f"{path}.__self__", thing.__self__
        yield f"{path}.__func__", thing.__func__
        for name, part in functions(type(thing.__self__)).items():
            yield f"{path}.{name}", part
    elif isinstance(thing, Mapping | MappingProxyType):
        for number, (key, part) in enumerate(thing.items()):
            yield step(path, key, number), part
    elif isinstance(thing, list | tuple | deque):
        for number, part in enumerate(thing):
            yield f"{path}[{number}]", part
    if isinstance(thing, defaultdict):
        yield f"{path}.default_factory", thing.default_factory
    for name, part in changing(thing).items():
        yield f"{path}.{name}", part


def functions(cls: type) -> dict[str, FunctionType]:
    """The functions of a class and of those above it, by name: methods of its objects."""
    every = {name: part for base in reversed(cls.__mro__) for name, part in vars(base).items()}
    return {name: part for name, part in every.items() if isinstance(part, FunctionType)}


def step(path: str, key: Any, number: int) -> str:
    """The path of a value under a key."""
    return f"{path}[{key!r}]" if type(key) in (str, int, bool) else f"{path}[#{number}]"


def changing(thing: Any) -> dict[str, Any]:
    """The attributes of a thing that a run may change."""
    found = attributes(thing) or {}
    left = getattr(type(thing), "unchanged", ())
    return {name: part for name, part in found.items() if name not in left}


def offers_state(thing: Any) -> bool:
    """Whether a thing says itself what its state is."""
    return all(callable(getattr(type(thing), name, None)) for name in ("get_state", "set_state"))


def capture(root: Any, fixtures: Fixtures, lost: list[str] | None = None) -> tuple[Tree, dict[str, Tensor]]:
    """All that a tree of objects holds: a tree for JSON, and tensors by path; what of it gets `lost` is named there.

    Raises Unsavable for what cannot be looked into and for functions that were not there in the beginning.
    """
    walk = _Capture(fixtures)
    try:
        tree = walk.node(root, "")
    except RecursionError:
        raise Unsavable("", "holds things in things in things, too deep to follow") from None
    except BREAKS as error:  # whatever somebody else's things do when they are looked into
        if isinstance(error, Unsavable):
            raise
        raise Unsavable("", f"holds what breaks when it is looked into, {described(error)}") from error
    if lost is not None:
        lost += walk.lost
    return tree, walk.arrays.tensors()


class _Capture:
    def __init__(self, fixtures: Fixtures) -> None:
        self.fixtures, self.arrays = fixtures, Arrays()
        self.numbers = dict[int, int]()
        self.owners = dict[int, int]()  # numbers of objects by the id of the dictionary of their attributes
        self.kept, self.objects, self.lost = list[Any](), list[np.ndarray](), list[str]()
        self.open = set[int]()  # numbers of things that can be made only when all they hold is there

    def node(self, thing: Any, path: str) -> Tree:
        if is_plain(thing):
            return thing
        if isinstance(thing, float) and type(thing) is float:
            return thing if np.isfinite(thing) else {"float": pack("<d", thing).hex()}  # NaNs differ in their bits
        if (number := self.numbers.get(id(thing))) is not None:
            if number in self.open:
                raise Unsavable(path, f"is a {type(thing).__name__} that holds itself")
            return {"see": number}
        if (number := self.owners.get(id(thing))) is not None:
            return {"vars": number}
        if self.fixtures.is_fixed(thing):
            return self._fixture(thing, path)
        if type(thing) in (int, bytes, complex) or (isinstance(thing, np.generic) and not thing.dtype.hasobject):
            return small(thing, path)
        number = self.numbers[id(thing)] = len(self.numbers)
        if hasattr(thing, "__dict__"):
            self.owners[id(vars(thing))] = number
        self.kept.append(thing)
        if isinstance(thing, tuple | frozenset | MappingProxyType | MethodType):
            self.open.add(number)
        node = self._node(thing, path)
        node["id"] = number
        self.open.discard(number)
        return node

    def _fixture(self, thing: Any, path: str) -> Node:
        there = self.fixtures.things.get(path)
        if there is thing:
            return {"fixed": path}
        if (known := self.fixtures.paths.get(id(thing))) is not None:
            return {"fixed": known}
        if isinstance(thing, torch.dtype | np.dtype | torch.device):
            return small(thing, path)
        if isinstance(thing, type) and is_basic(thing):
            return {"cls": named(thing)}
        if isinstance(thing, Enum):
            return {"enum": self._class(thing, path), "member": self.node(member(thing), path)}
        raise Unsavable(path, f"holds a {type(thing).__name__} that was not there when the run began")

    def _node(self, thing: Any, path: str) -> Node:
        if type(thing) in (Tensor, nn.Parameter, np.ndarray):
            return self._array(thing, path)
        if type(thing) is bytearray:
            return {"bytearray": thing.hex()}
        if type(thing) is torch.Size:
            return {"size": list(thing)}
        if isinstance(thing, np.random.Generator | Random):
            return self._chance(thing, path)
        if type(thing) is ReferenceType:
            return self._reference(thing, path)
        if isinstance(thing, MethodType):
            function = self.node(thing.__func__, f"{path}.__func__")
            return {"method": function, "of": self.node(thing.__self__, f"{path}.__self__")}
        if offers_state(thing):
            return self._offered(thing, path)
        if isinstance(thing, list | tuple | set | frozenset | deque | dict | MappingProxyType):
            return self._container(thing, path)
        found = attributes(thing)
        if found is None:
            raise Unsavable(path, f"is a {type(thing).__name__}, whose state cannot be seen")
        return {"object": self._class(thing, path), **self._attributes(thing, path)}

    def _chance(self, thing: np.random.Generator | Random, path: str) -> Node:
        if type(thing) is np.random.Generator:
            state = {"stream": self.node(thing.bit_generator.state, f"{path}.state")}
            return {**state, **spawned(thing.bit_generator.seed_seq)}
        if isinstance(thing, np.random.Generator | SystemRandom):
            raise Unsavable(path, f"is a {type(thing).__name__}, whose state cannot be seen")
        kind = {} if type(thing) is Random else {"class": self._class(thing, path)}
        own = {} if type(thing) is Random else self._attributes(thing, path, vars(thing))
        return {"twister": self.node(thing.getstate(), f"{path}.state"), **kind, **own}

    def _offered(self, thing: Any, path: str) -> Node:
        chance = {name: part for name, part in (attributes(thing) or {}).items() if isinstance(part, CHANCE)}
        streams = {name: self.node(part, f"{path}.{name}") for name, part in chance.items()}
        return {"state": self.node(_state(thing, path), f"{path}.state"), "of": named(type(thing)), "chance": streams}

    def _reference(self, thing: Any, path: str) -> Node:
        """A weak reference to what is saved anyway, as LSTM has them to its weights."""
        if id(thing()) not in self.numbers or thing.__callback__ is not None:
            raise Unsavable(path, "is a weak reference to what nothing else has, or that calls a function")
        return {"reference": self.node(thing(), path)}

    def _class(self, thing: Any, path: str) -> str:
        name = named(type(thing))
        if self.fixtures.class_of(name) is not type(thing):
            raise Unsavable(path, f"is a {name}, of which nothing was there when the run began")
        return name

    def _array(self, thing: Tensor | np.ndarray, path: str) -> Node:
        if isinstance(thing, np.ndarray) and seen(thing.dtype, path) and thing.dtype.hasobject:
            if any(np.may_share_memory(thing, each) for each in self.objects):
                raise Unsavable(path, "is an array of objects that shares them with another: copy it")
            self.objects.append(thing)
            parts = [self.node(part, f"{path}[{place}]") for place, part in enumerate(thing.reshape(-1))]
            return {"objects": parts, "shape": list(thing.shape)}
        if isinstance(thing, np.ndarray):
            return self.arrays.add(thing, path)
        if not thing.is_leaf:
            raise Unsavable(path, "is a tensor that is part of a computation: detach it")
        if thing.is_quantized or thing.is_meta or thing.is_conj() or thing.is_neg():
            raise Unsavable(path, "is a tensor of a kind that cannot be saved: clone it as plain numbers")
        node = self._sparse(thing, path) if thing.layout != torch.strided else self.arrays.add(thing, path)
        if thing._backward_hooks and type(thing) is Tensor:
            raise Unsavable(path, "is a tensor with hooks, which are functions: only those of a Parameter can be kept")
        if own := {name: part for name, part in vars(thing).items() if not name.startswith("_")}:
            node |= self._attributes(thing, path, own)
        return node if thing.grad is None else {**node, "slope": self.node(thing.grad, f"{path}.grad")}

    def _sparse(self, thing: Tensor, path: str) -> Node:
        parts: tuple[Tensor, ...]
        if thing.layout is torch.sparse_csr:
            parts = (thing.crow_indices(), thing.col_indices(), thing.values())
        elif thing.layout is torch.sparse_csc:
            parts = (thing.ccol_indices(), thing.row_indices(), thing.values())
        elif thing.layout is torch.sparse_coo:
            parts = (thing._indices(), thing._values())
        else:
            raise Unsavable(path, f"is a tensor of layout {thing.layout}, which cannot be saved")
        nodes = [self.arrays.add(part, f"{path}.{place}") for place, part in enumerate(parts)]
        self.kept.append(parts)
        return {"sparse": str(thing.layout)[6:], "parts": nodes, "shape": list(thing.shape)}

    def _container(self, thing: Any, path: str) -> Node:
        base = next(
            kind for kind in (list, tuple, set, frozenset, deque, dict, MappingProxyType) if isinstance(thing, kind)
        )
        if base is deque and type(thing) is not deque and "__init__" in functions(type(thing)):
            raise Unsavable(path, f"is a {type(thing).__name__}, which nobody else can make")
        if attributes(thing) is None and type(thing) not in (base, OrderedDict, defaultdict, Counter):
            raise Unsavable(path, f"is a {type(thing).__name__}, whose state cannot be seen")
        node: Node = {base.__name__: self._parts(thing, path)}
        if isinstance(thing, set | frozenset) and not keeps_order(thing):
            self.lost.append(f"the order of {path.removeprefix('.') or 'it'}, which is a set")
        if type(thing) is not base:
            node |= {"class": self._class(thing, path), **self._attributes(thing, path)}
        if isinstance(thing, deque):
            node["most"] = thing.maxlen
        if isinstance(thing, defaultdict) and thing.default_factory is not None:
            node["factory"] = self.node(thing.default_factory, f"{path}.default_factory")
        return node

    def _parts(self, thing: Any, path: str) -> list[Tree]:
        if isinstance(thing, dict | MappingProxyType):
            return [
                [self.node(key, f"{path}[#{number}]"), self.node(part, step(path, key, number))]
                for number, (key, part) in enumerate(thing.items())
            ]
        return [self.node(part, f"{path}[{number}]") for number, part in enumerate(thing)]

    def _attributes(self, thing: Any, path: str, own: dict[str, Any] | None = None) -> Node:
        found = dict[str, Tree]()
        every = changing(thing) if own is None else own
        anew = {} if self.fixtures.had(thing) else attributes(thing) or {}  # nothing else has what it leaves alone
        for name, part in {**anew, **every}.items():
            numbers, arrays = len(self.numbers), len(self.arrays.found)
            try:
                found[name] = self.node(part, f"{path}.{name}")
            except Unsavable:
                if name in every and not isinstance(getattr(type(thing), name, None), cached_property):
                    raise
                if isinstance(part, Iterator):
                    self.lost.append(f"{path}.{name}".removeprefix("."))
                for key in list(self.numbers)[numbers:]:  # what is worked out when it is asked for is left out
                    del self.numbers[key]
                self.owners = {key: number for key, number in self.owners.items() if number < numbers}
                del self.arrays.found[arrays:]
        return {"has": found} if found else {}


def _state(thing: Any, path: str) -> Any:
    """What a thing says its state is. Raises Unsavable where it cannot say."""
    try:
        return thing.get_state()
    except BREAKS as error:
        raise Unsavable(path, f"is a {type(thing).__name__}, whose get_state broke, {described(error)}") from error
