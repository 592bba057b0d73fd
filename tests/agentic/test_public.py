"""The public surface: one list, the same for people, for Python and for type checkers."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

import agentic

NAMES = agentic.__all__


def modules() -> list[str]:
    return [module.name for module in iter_modules(agentic.__path__)]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_loads(name: str) -> None:
    assert not isinstance(getattr(agentic, name), ModuleType)


def test_a_stub_names_the_home_of_each() -> None:
    stub = ast.parse((Path(agentic.__path__[0]) / "__init__.pyi").read_text(encoding="utf-8"))
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            home = import_module(str(node.module))
            assert all(getattr(agentic, alias.name) is getattr(home, alias.name) for alias in node.names)


def test_no_public_name_is_also_a_module() -> None:
    """Importing a module of the package would replace the name by the module."""
    assert not set(NAMES) & set(modules())


def test_importing_modules_first_changes_no_name() -> None:
    first = "; ".join(f"import agentic.{name}" for name in modules() if name not in ("__main__", "cli"))
    code = f"{first}; from types import FunctionType; from agentic import minimize, run; print(minimize, run)"
    message = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert message.startswith("<function minimize")
    assert "<function run" in message


def test_what_is_not_public_is_said_to_be_missing() -> None:
    with pytest.raises(AttributeError, match="no attribute 'minimise'"):
        getattr(agentic, "minimise")  # noqa: B009  spelled as a user would have it


def classes(annotation: Any) -> Iterator[type[Any]]:
    """The classes that an annotation names, also within others."""
    parts = get_args(annotation)
    if isinstance(annotation, type) and not parts:
        yield annotation
    for part in parts:
        for inner in part if isinstance(part, list) else [part]:
            yield from classes(inner)


def annotated(thing: Any) -> Iterator[Any]:
    """A function, or a class and what it has in public: whatever has annotations."""
    yield thing
    for name, member in vars(thing).items() if isinstance(thing, type) else ():
        if not name.startswith("_") or name == "__init__":
            function = getattr(member, "__func__", getattr(member, "fget", member))
            if callable(function):
                yield function


def test_every_type_in_a_public_signature_is_public() -> None:
    """In the list, or among the names of a room."""
    rooms = [import_module(f"agentic.{name}") for name in modules() if name != "__main__"]
    public = {id(getattr(agentic, name)) for name in NAMES}
    public |= {id(getattr(room, name)) for room in rooms for name in getattr(room, "__all__", ())}
    missing = set()
    for name in NAMES:
        for each in annotated(getattr(agentic, name)):
            try:
                hints = get_type_hints(each)
            except (NameError, TypeError):  # what only type checkers import, and what has no annotations
                continue
            found = {inner for hint in hints.values() for inner in classes(hint)}
            ours = {inner for inner in found if inner.__module__.partition(".")[0] == "agentic"}
            missing |= {f"{name}: {inner.__qualname__}" for inner in ours if id(inner) not in public}
    assert not missing
