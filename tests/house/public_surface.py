"""The public surface: what `agentic`, its rooms and the plugins name in `__all__`, and the members of those classes."""

from collections.abc import Iterator
from importlib import import_module
from inspect import isclass, isfunction
from pkgutil import iter_modules
from typing import Any

import agentic
from tests.house.repository import PLUGINS


def packages() -> list[str]:
    """The core, its rooms and the packages of plugins: whatever may have an `__all__`."""
    rooms = [f"agentic.{found.name}" for found in iter_modules(agentic.__path__) if found.ispkg]
    return ["agentic", *rooms, *PLUGINS]


def public(package: str) -> dict[str, Any]:
    """The classes and functions of ours that a package names in `__all__`, by their full name."""
    module = import_module(package)
    every = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    ours = {name: thing for name, thing in every.items() if isclass(thing) or isfunction(thing)}
    return {f"{package}.{name}": thing for name, thing in ours.items() if thing.__module__.partition(".")[0] in _HOUSE}


def undocumented(full_name: str, thing: Any) -> Iterator[str]:
    """The thing and its public members as far as nobody says what they are, by their full name."""
    if not documented(thing):
        yield full_name
    for name, member in vars(thing).items() if isclass(thing) else ():
        if not name.startswith("_") and _is_method(member):
            chain = [vars(base)[name] for base in thing.__mro__ if name in vars(base)]
            if not any(documented(getattr(each, "__func__", each)) for each in chain):
                yield f"{full_name}.{name}"


def documented(thing: Any) -> bool:
    """Whether it has a docstring that somebody wrote: a dataclass without one is given its signature."""
    text = vars(thing).get("__doc__") if isclass(thing) else thing.__doc__
    return bool(text) and not str(text).startswith(f"{getattr(thing, '__name__', '')}(")


def _is_method(member: Any) -> bool:
    return isfunction(member) or isinstance(member, property | classmethod | staticmethod)


_HOUSE = {"agentic", *PLUGINS}
