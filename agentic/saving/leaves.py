"""Leaves of a tree that is captured: small values, and what can be said of a thing without looking into it."""

from enum import Enum, Flag
from typing import Any

import numpy as np
import torch


class Unsavable(Exception):
    """A thing whose insides nobody can see, or that was not there when the run began; the message says where."""

    def __init__(self, path: str, words: str) -> None:
        super().__init__(f"{path.removeprefix('.') or 'it'} {words}")


def keeps_order(thing: set[Any] | frozenset[Any]) -> bool:
    """Whether a set of the same things has the same order and the same room; true where chance says what it has."""
    if not all(map(_hashed_alike, thing)):
        return True
    anew = set[Any]()
    for part in thing:
        anew.add(part)
    return list(anew) == list(thing) and (isinstance(thing, frozenset) or set.__sizeof__(anew) == set.__sizeof__(thing))


def _hashed_alike(part: Any) -> bool:
    """Whether every process gives a thing the same hash."""
    return all(map(_hashed_alike, part)) if type(part) is tuple else isinstance(part, int | float | complex)


def spawned(seeds: Any) -> dict[str, Any]:
    """How many streams were spawned from a stream, so that the next are others."""
    return {"spawned": count} if (count := children(seeds)) else {}


def children(seeds: Any) -> int:
    """The number of streams that were spawned from a stream."""
    return seeds.n_children_spawned if isinstance(seeds, np.random.SeedSequence) else 0


def member(thing: Enum) -> Any:
    """The name of a member; of several flags at once their number."""
    return thing.value if isinstance(thing, Flag) and thing.name not in type(thing).__members__ else thing.name


def small(thing: Any, path: str) -> dict[str, Any]:
    if type(thing) in (int, bytes):
        return {type(thing).__name__: thing.hex() if isinstance(thing, bytes) else hex(thing)}
    if type(thing) is complex:
        return {"complex": [repr(thing.real), repr(thing.imag)]}
    if isinstance(thing, torch.dtype):
        return {"type": str(thing).removeprefix("torch.")}
    if isinstance(thing, np.dtype):
        seen(thing, path)
        return {"dtype": thing.str}
    if isinstance(thing, torch.device):
        return {"device": str(thing)}
    seen(thing.dtype, path)
    return {"number": thing.tobytes().hex(), "numpy": thing.dtype.str}


def seen(kind: np.dtype, path: str) -> bool:
    """True for a type of plain numbers, texts or objects. Raises Unsavable for others."""
    if kind.names or kind.subdtype or (kind.kind not in "O" and kind.hasobject):
        raise Unsavable(path, f"is of {kind!r}, which cannot be saved")
    return True


def named(cls: type) -> str:
    """The name by which a class is found again; one that nothing has where an extension gave it no module."""
    try:
        return f"{cls.__module__}:{cls.__qualname__}"
    except AttributeError:
        return f":{cls.__name__}"
