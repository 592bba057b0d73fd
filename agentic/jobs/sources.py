"""Hashes of the code and the files that a number depends on: where any is another, a result no longer holds."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from platform import machine, python_version
from typing import Any

from agentic.plugins import Registry

LIBRARIES = ("torch", "numpy", "scipy", "gymnasium", "stable-baselines3")


def source_hash(registry: Registry, worlds: Iterable[str] = ()) -> str:
    """A SHA-256 of what numbers depend on beside tables and the files they name.

    Those are our sources, those of plugins and of modules that ids of `worlds` and wrappers of theirs name
    ("module:Name-v0"), and the versions of Python and of libraries.
    """
    said = hashlib.sha256(f"{python_version()} {machine()}\n".encode())
    targets = [each.target for each in registry.components if each.sha256 is None]
    modules = [each.partition(":")[0] if isinstance(each, str) else each.__module__ for each in targets]
    named = [world.rpartition(":")[0] for world in worlds if ":" in world]
    for package in sorted({each.partition(".")[0] for each in ("agentic", *modules, *named)} - {""}):
        for name, source in _sources(package):
            said.update(f"{package}/{name} {len(source)}\n".encode() + source)
    for component in registry.components:
        if component.source != "built-in":
            said.update(f"{component.full_name} {component.version} {component.sha256}\n".encode())
    for library in LIBRARIES:
        said.update(f"{library} {_version(library)}\n".encode())
    return said.hexdigest()


def file_hashes(value: Any) -> Iterator[str]:
    """Of every file that a text in plain tables names: a saved policy, a learned agent, a class, a model of a world."""
    if isinstance(value, str):
        for path in dict.fromkeys(
            (value, f"{value}.zip", f"{value}/learned/checkpoint.json", value.rpartition(":")[0])
        ):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    yield hashlib.file_digest(file, "sha256").hexdigest()
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from file_hashes(part)


def _sources(package: str) -> Iterator[tuple[str, bytes]]:
    """The Python files of an installed package, or of a module that is one file; none of what is not there."""
    spec = find_spec(package)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(root).rglob("*.py")):
            yield file.relative_to(root).as_posix(), file.read_bytes()
    if spec and spec.submodule_search_locations is None and spec.has_location and spec.origin:
        yield package, Path(spec.origin).read_bytes()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
