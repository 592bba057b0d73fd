"""A capture put back into a tree of objects that was made anew, as the captured one had been.

Nothing of a capture is run: objects are those of the new tree, or are made bare, of classes that the new tree has
objects of or that lie beside those, and given their attributes. Functions are those of the new tree, methods those of
classes whose methods it holds.
"""

import builtins
import random
from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum, Flag
from struct import unpack
from types import FunctionType, MappingProxyType, MethodType
from typing import Any
from weakref import ref

import numpy as np
import torch
from torch import Tensor, nn

from agentic.errors import BREAKS, said
from agentic.saving.arrays import Memory, Node, torch_type
from agentic.saving.capture import CHANCE, Fixtures, Tree, functions
from agentic.saving.leaves import children, named
from agentic.saving.values import attributes, is_basic, slots

STREAMS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
CONTAINERS: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": deque,
    "dict": dict,
}


SPAWNED = 2**20  # streams that are spawned again from a stream
PUTTING: dict[type, str] = {set: "add", list: "append", deque: "append"}  # not as those below them put things in


class Unfit(Exception):
    """A capture that does not fit the tree; the message says why."""


def restore(tree: Tree, saved: Mapping[str, Tensor], root: Any, fixtures: Fixtures, device: str | None = None) -> Any:
    """The root with all that was captured put back; `fixtures` are those of it as it is now.

    What was not on the CPU goes to `device`, None for where it was.

    Objects of the tree are changed in place. Raises Unfit where it is of other classes, or no capture at all: what was
    put back until then is worth nothing.
    """
    try:
        found = _Restore(Memory(saved, device), fixtures).value(tree, root)
        if type(found) is not type(root):
            _unknown(type(found))
        if is_dataclass(root) and found is not root:  # frozen, and whoever has it is not in the tree
            _give(root, attributes(found) or {})
            return root
        return found
    except BREAKS as error:  # also what a set_state of third parties leaves with
        raise Unfit(f"it holds what this version or these parts do not have ({said(error)})") from error


class _Restore:
    def __init__(self, memory: Memory, fixtures: Fixtures) -> None:
        self.memory, self.fixtures = memory, fixtures
        self.made = dict[int, Any]()
        self.claimed, self.looked = set[int](), set[int]()
        self.kept = list[Any]()

    def value(self, node: Tree, fresh: Any) -> Any:
        """The value of a node, where the tree made anew has `fresh`."""
        if not isinstance(node, dict):
            return node
        if "see" in node:
            self.looked.add(node["see"])
            return self.made[node["see"]]
        kind = next(iter(node))
        if kind in CONTAINERS or kind == "mappingproxy":
            return self._container(kind, node, fresh)
        found = getattr(self, f"_{kind}")(node, fresh) if kind in KINDS else _unknown(kind)
        self._done(node, found)
        return found

    def _done(self, node: Node, thing: Any) -> None:
        if "id" in node:
            self.made[node["id"]] = thing

    def _claim(self, fresh: Any) -> bool:
        """Whether a thing of the new tree may take the state of one captured thing: each takes that of one alone."""
        free = id(fresh) not in self.claimed
        self.claimed.add(id(fresh))
        self.kept.append(fresh)
        return free

    def _float(self, node: Node, fresh: Any) -> float:
        (found,) = unpack("<d", bytes.fromhex(node["float"]))
        return float(found)

    def _bytes(self, node: Node, fresh: Any) -> bytes:
        return bytes.fromhex(node["bytes"])

    def _bytearray(self, node: Node, fresh: Any) -> bytearray:
        return bytearray.fromhex(node["bytearray"])

    def _complex(self, node: Node, fresh: Any) -> complex:
        real, imaginary = map(float, node["complex"])
        return complex(real, imaginary)

    def _number(self, node: Node, fresh: Any) -> Any:
        kind = np.dtype(str(node["numpy"]))
        return np.frombuffer(bytes.fromhex(node["number"]), kind)[0] if kind.itemsize else kind.type()

    def _type(self, node: Node, fresh: Any) -> torch.dtype:
        return torch_type(node["type"])

    def _dtype(self, node: Node, fresh: Any) -> Any:
        return np.dtype(str(node["dtype"]))

    def _device(self, node: Node, fresh: Any) -> torch.device:
        return torch.device(self.memory.place(node))

    def _enum(self, node: Node, fresh: Any) -> Any:
        cls = self._class(node["enum"])
        member = self.value(node["member"], None)
        if issubclass(cls, Flag) and isinstance(member, int):
            return cls(member)
        return cls[member] if issubclass(cls, Enum) else _unknown(cls)

    def _int(self, node: Node, fresh: Any) -> int:
        return int(node["int"], 16)

    def _size(self, node: Node, fresh: Any) -> torch.Size:
        return torch.Size(node["size"])

    def _cls(self, node: Node, fresh: Any) -> Any:
        module, _, name = str(node["cls"]).partition(":")
        found = vars({"builtins": builtins, "numpy": np}[module])[name]
        return found if isinstance(found, type) and is_basic(found) else _unknown(found)

    def _fixed(self, node: Node, fresh: Any) -> Any:
        return self.fixtures.things[node["fixed"]]

    def _method(self, node: Node, fresh: Any) -> Any:
        owner = self.value(node["of"], getattr(fresh, "__self__", None))
        function = self.value(node["method"], None)
        cls = owner if isinstance(owner, type) else type(owner)
        if not (isinstance(function, FunctionType) and function in functions(cls).values()):
            _unknown(function)
        return fresh if fresh == (found := MethodType(function, owner)) else found

    def _array(self, node: Node, fresh: Any) -> Any:
        part = self.memory.part(node)
        if isinstance(fresh, nn.Parameter) and isinstance(part, nn.Parameter) and self._claim(fresh):
            fresh.data = part.data.to(fresh.device)
            part = fresh.requires_grad_(part.requires_grad)
        self._done(node, part)
        if isinstance(part, Tensor) and "slope" in node:
            part.grad = self.value(node["slope"], None)
        for name, own in node.get("has", {}).items():
            vars(part)[_unknown(name) if name in dir(Tensor) else name] = self.value(own, None)
        if isinstance(part, Tensor) and not part.is_inference():
            torch._C._autograd._unsafe_set_version_counter((part,), (int(node.get("writes", 0)),))
        return part

    def _vars(self, node: Node, fresh: Any) -> Any:
        return vars(self.made[node["vars"]])

    def _sparse(self, node: Node, fresh: Any) -> Tensor:
        parts: list[Any] = [self.memory.part(part) for part in node["parts"]]
        if node["sparse"] == "sparse_coo":
            where, values = parts
            return torch.sparse_coo_tensor(where, values, node["shape"], check_invariants=True)
        kind = {"sparse_csr": torch.sparse_csr, "sparse_csc": torch.sparse_csc}[node["sparse"]]
        ends, where, values = parts
        return torch.sparse_compressed_tensor(ends, where, values, node["shape"], layout=kind, check_invariants=True)

    def _objects(self, node: Node, fresh: Any) -> Any:
        flat = np.empty(len(node["objects"]), object)
        found = flat.reshape([int(size) for size in node["shape"]])
        self._done(node, found)
        for place, part in enumerate(node["objects"]):
            flat[place] = self.value(part, None)
        return found

    def _stream(self, node: Node, fresh: Any) -> np.random.Generator:
        state = self.value(node["stream"], None)
        name = state["bit_generator"]
        alike = isinstance(fresh, np.random.Generator) and type(fresh.bit_generator).__name__ == name
        if not (alike and self._claim(fresh)):
            fresh = np.random.Generator(getattr(np.random, name)() if name in STREAMS else _unknown(name))
        if more := int(node.get("spawned", 0)) - children(fresh.bit_generator.seed_seq):
            fresh.bit_generator.seed_seq.spawn(more if 0 < more < SPAWNED else _unknown(more))
        found: np.random.Generator = fresh
        found.bit_generator.state = _within(state)
        return found

    def _reference(self, node: Node, fresh: Any) -> Any:
        return ref(self.value(node["reference"], None))

    def _twister(self, node: Node, fresh: Any) -> random.Random:
        cls = self._class(node["class"]) if "class" in node else random.Random
        if not issubclass(cls, random.Random):
            _unknown(cls)
        found = fresh if type(fresh) is cls and self._claim(fresh) else random.Random.__new__(cls)
        found.setstate(self.value(node["twister"], None))
        for name, part in node.get("has", {}).items():
            vars(found)[_unknown(name) if name in functions(cls) else name] = self.value(part, None)
        return found

    def _state(self, node: Node, fresh: Any) -> Any:
        bare = {named(cls): cls for cls in (torch.Generator, np.random.RandomState)}
        if named(type(fresh)) != node["of"] or not self._claim(fresh):
            fresh = bare[node["of"]]()
        self._done(node, fresh)
        state = self.value(node["state"], None)
        fresh.set_state(_within(state) if isinstance(fresh, np.random.RandomState) else state)
        own = attributes(fresh) or {}
        for name, part in node["chance"].items():
            found = self.value(part, own.get(name))
            if not isinstance(found, CHANCE) or _is_hidden(type(fresh), name, own):
                _unknown(name)
            object.__setattr__(fresh, name, found)
        return fresh

    def _object(self, node: Node, fresh: Any) -> Any:
        cls = self._class(node["object"])
        same = type(fresh) is cls and self._claim(fresh)
        parameters = getattr(cls, "__dataclass_params__", None)
        frozen = parameters is not None and parameters.frozen
        thing = fresh if same and not frozen else object.__new__(cls)
        self._done(node, thing)
        has, old = node.get("has", {}), attributes(fresh) or {} if same else {}
        if hidden := [name for name in has if _is_hidden(cls, name, old)]:
            _unknown(f"{node['object']}.{hidden[0]}")
        found = {name: self.value(part, old.get(name)) for name, part in has.items()}
        alike = found.keys() == old.keys() and all(found[name] is old[name] for name in old)
        if same and frozen and alike and node.get("id") not in self.looked:  # else somebody has the other already
            self._done(node, fresh)
            return fresh
        kept = {name: old[name] for name in getattr(cls, "unchanged", ()) if name in old}
        _give(thing, {**found, **kept})
        return thing

    def _container(self, kind: str, node: Node, fresh: Any) -> Any:
        if kind == "mappingproxy":
            found: Any = MappingProxyType(self._filled({}, node[kind], fresh))
        elif kind in ("tuple", "frozenset"):
            parts = [self.value(part, _at(fresh, place)) for place, part in enumerate(node[kind])]
            cls = self._class(node["class"]) if "class" in node else CONTAINERS[kind]
            found = CONTAINERS[kind].__new__(cls, parts)
            has = self._has(node, fresh)
            if type(fresh) is cls and not has and len(fresh) == len(parts) and all(map(_same, fresh, parts)):
                found = fresh
            elif has:
                _give(found, has)
        else:
            found = self._bare(kind, node)
            self._done(node, found)
            self._filled(found, node[kind], fresh)
            if has := self._has(node, fresh):
                _give(found, has)
        self._done(node, found)
        return found

    def _has(self, node: Node, fresh: Any) -> dict[str, Any]:
        old = attributes(fresh) or {} if "has" in node else {}
        return {name: self.value(part, old.get(name)) for name, part in node.get("has", {}).items()}

    def _bare(self, kind: str, node: Node) -> Any:
        cls = self._class(node["class"]) if "class" in node else CONTAINERS[kind]
        if not issubclass(cls, CONTAINERS[kind]):
            _unknown(cls)
        if kind == "deque":
            held: deque[Any] = deque.__new__(cls)
            deque.__init__(held, (), node["most"])
            return held
        base: Any = next(base for base in cls.__mro__ if base in (*CONTAINERS.values(), OrderedDict, defaultdict))
        made = base.__new__(cls)
        if "factory" in node:
            defaultdict.__init__(made, self.value(node["factory"], None))
        return made

    def _filled(self, made: Any, parts: list[Tree], fresh: Any) -> Any:
        if isinstance(made, dict):
            old = dict(fresh) if isinstance(fresh, Mapping | MappingProxyType) else {}
            for key, part in parts:
                name = self.value(key, None)
                put = OrderedDict.__setitem__ if isinstance(made, OrderedDict) else dict.__setitem__
                put(made, name, self.value(part, old.get(name)))
            return made
        put = next(getattr(kind, name) for kind, name in PUTTING.items() if isinstance(made, kind))
        for place, part in enumerate(parts):
            put(made, self.value(part, _at(fresh, place)))
        return made

    def _class(self, name: str) -> Any:
        return self.fixtures.class_of(name) or _unknown(name)


KINDS = frozenset(
    "float bytes bytearray complex number int type dtype device size enum cls fixed vars method array sparse objects "
    "reference stream twister state object".split()
)


def _is_hidden(cls: type, name: str, old: Mapping[str, Any]) -> bool:
    """Whether an attribute would hide a function of the class that the new object of it does not hide."""
    return name in functions(cls) and name not in old and name not in getattr(cls, "__dataclass_fields__", ())


def _within(state: Any) -> Any:
    """The state of a source of chance, whose place is one in what it has drawn: NumPy does not look."""
    if isinstance(state, dict):
        place, most = state.get("buffer_pos", 0), 4
        inner = state.get("state")
        if isinstance(inner, dict) and "pos" in inner:
            place, most = inner["pos"], 624
    else:
        place, most = state[2], 624
    if not (isinstance(place, int) and 0 <= place <= most):
        _unknown(place)
    return state


def _unknown(what: Any) -> Any:
    raise ValueError(f"{what!r} is not known")


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and isinstance(one, int | str | float) and one == other)


def _at(fresh: Any, place: int) -> Any:
    return fresh[place] if isinstance(fresh, list | tuple | deque) and place < len(fresh) else None


def _give(thing: Any, found: Mapping[str, Any]) -> None:
    """Give an object these attributes and no others, whatever it does when attributes are set."""
    names = slots(type(thing))
    for name in names:
        if name in found:
            object.__setattr__(thing, name, found[name])
    if hasattr(thing, "__dict__"):
        vars(thing).clear()
        vars(thing).update({name: part for name, part in found.items() if name not in names})
