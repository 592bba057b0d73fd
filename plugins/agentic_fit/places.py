"""Places in an agent: numbers that are reached by a path of attributes and indices, and replaced by others.

`selection.precision`, `purpose.goal.values[1][2]`, `model.log_habits[0]`: what is a real number there can be fitted.
"""

import re
from collections.abc import Sequence
from dataclasses import Field, fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any

from torch import Tensor, nn

from agentic import EnergyAgent, UserError

Key = str | tuple[int, ...]  # an attribute, or an index

STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
STILL = ("selection.", "purpose.", "planner.", "model.log_habits")  # what perceiving does not look at


def places_of(path: str) -> list[str]:
    """The paths in a text, joined by `=`: places that hold one number in common."""
    return [each.strip() for each in path.split("=")]


def keys_of(path: str) -> tuple[Key, ...]:
    """The steps of a path. Raises UserError for what is no path."""
    keys, end = list[Key](), 0
    while match := STEP.match(path, end):
        name, index = match.groups()
        keys.append(name or tuple(int(i) for i in index.split(",")))
        end = match.end()
    if end < len(path) or not path or path.startswith((".", "[")):
        raise UserError(f"{path!r} is no place in an agent: name one as 'selection.precision' or 'model.log_habits[0]'")
    return tuple(keys)


def number_at(agent: EnergyAgent, path: str) -> float:
    """The number at a place. Raises UserError where the agent has none there, with what is there instead."""
    owner: Any = agent
    whole, way = True, type(agent).__name__
    for key in keys_of(path):
        whole = _may_be_real(owner, key)
        owner, way = _got(owner, key, path, way), f"{way}{_written(key)}"
    if isinstance(owner, Tensor) and owner.is_floating_point() and owner.numel() == 1 and owner.dim() == 0:
        return float(owner)
    if isinstance(owner, float) or (type(owner) is int and whole):
        return float(owner)
    raise UserError(f"{path} is {_described(owner)}, and what is fitted is one real number: name one in it")


def replaced(owner: Any, keys: Sequence[Key], number: Tensor) -> Any:
    """`owner` with the number at a place replaced: frozen values anew, modules and agents changed in place."""
    if not keys:
        return number
    key, *rest = keys
    if isinstance(key, str):
        child = replaced(getattr(owner, key), rest, number)
        if is_dataclass(owner) and not isinstance(owner, type):
            return replace(owner, **{key: child})
        if child is not getattr(owner, key):
            _put(owner, key, child)
        return owner
    if isinstance(owner, Tensor):
        changed = owner.clone()
        changed[key] = number.to(owner.dtype)
        return changed
    if isinstance(owner, nn.ModuleList):
        replaced(owner[key[0]], rest, number)
        return owner
    items = list(owner)
    items[key[0]] = replaced(items[key[0]], rest, number)
    return type(owner)(items)


def _put(owner: Any, name: str, value: Any) -> None:
    """Set an attribute; a buffer and a parameter of a module become plain tensors, which gradients pass through."""
    if isinstance(owner, nn.Module) and name in owner._parameters:
        delattr(owner, name)
    setattr(owner, name, value)


def _got(owner: Any, key: Key, path: str, way: str) -> Any:
    """What is one step on. Raises UserError where nothing is, or nothing that can be replaced."""
    if isinstance(key, str):
        names = [name for name in dir(owner) if not name.startswith("_")]
        if key not in names:
            near = get_close_matches(key, names, n=3)
            meant = f", did you mean {' or '.join(near)}?" if near else ": look for its attributes"
            raise UserError(f"{path}: {way}, {_described(owner)}, has no {key!r}{meant}")
        described = vars(type(owner)).get(key)
        if isinstance(described, property) and described.fset is None:
            raise UserError(f"{path}: {key!r} of {way} is computed from other numbers, name one of those")
        return getattr(owner, key)
    try:
        if isinstance(owner, Tensor):
            return owner[key]
        if isinstance(owner, list | tuple | nn.ModuleList) and len(key) == 1:
            return owner[key[0]]
    except IndexError:
        pass
    raise UserError(f"{path}: {way} is {_described(owner)}, which has nothing at {_written(key)}")


def _may_be_real(owner: Any, key: Key) -> bool:
    """Whether a whole number there stands for a real one: a field that is declared so."""
    known: tuple[Field[Any], ...] = fields(owner) if is_dataclass(owner) else ()
    return any(each.name == key and each.type in (float, "float") for each in known)


def _written(key: Key) -> str:
    return f".{key}" if isinstance(key, str) else f"[{', '.join(map(str, key))}]"


def _described(found: Any) -> str:
    if isinstance(found, Tensor):
        return f"a tensor of shape {tuple(found.shape)}"
    if isinstance(found, list | tuple):
        return f"a {type(found).__name__} of {len(found)}"
    if found is None or isinstance(found, bool | int | str):
        return repr(found)
    return f"a {type(found).__name__}"
