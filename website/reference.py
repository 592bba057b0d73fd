"""Reference pages: for each room of the core and each package, the public names, from their docstrings."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from inspect import getdoc, isclass, isfunction, isroutine
from pkgutil import iter_modules
from typing import Any, final

import agentic
from agentic.plugins import KINDS

PACKAGES = tuple(
    f"agentic_{name}"
    for name in "agents bench energies envs exchange fit life loggers metrics optimizers ray report sweep".split()
)
"""Packages with names for Python; the others are commands alone."""
HIDDEN = ("cli", "front")  # commands: `agentic --help`; functions that `agentic` itself offers


@final
@dataclass(frozen=True)
class Entry:
    """A public name: where it is imported from, its name there, and the module path of what it is."""

    package: str
    name: str
    home: str
    about: str


def pages() -> dict[str, str]:
    """The Markdown of every page, by its place in the site; the first lists all names."""
    rooms = {f"agentic.{found.name}": [] for found in iter_modules(agentic.__path__) if found.ispkg}
    listed: dict[str, list[Entry]] = {"agentic": [], **rooms, **{name: [] for name in PACKAGES}}
    seen: set[str] = set()
    for entry in entries(list(listed)):
        if entry.home not in seen:
            seen.add(entry.home)
            listed[page_of(entry, listed)].append(entry)
    made = {f"reference/{name}.md": page(name, found) for name, found in listed.items() if found}
    return {"reference/index.md": index({name: found for name, found in listed.items() if found}), **made}


def entries(packages: list[str]) -> Iterator[Entry]:
    """Every public name of the packages, and every component that they offer, those of `agentic` first."""
    for package in packages:
        module = import_module(package)
        for name in sorted(getattr(module, "__all__", ())):
            thing = getattr(module, name)
            if isclass(thing) or isroutine(thing):
                yield Entry(package, name, f"{thing.__module__}.{thing.__qualname__}", first_sentence(thing))
    registry = agentic.load()
    for kind in KINDS:
        for name in registry.names(kind):
            target = registry.resolve(kind, name)
            package = target.__module__.partition(".")[0]
            if package in packages and package != "agentic" and (isclass(target) or isfunction(target)):
                yield Entry(target.__module__, target.__name__, f"{target.__module__}.{target.__qualname__}", first_sentence(target))


def page_of(entry: Entry, packages: Any) -> str:
    """The page of an entry: the room or package in which it lives, however it is imported."""
    parts = entry.home.split(".")
    room = ".".join(parts[:2]) if parts[0] == "agentic" else parts[0]
    return room if room in packages else entry.package


def page(package: str, found: list[Entry]) -> str:
    """One page: what the room is for, then its names under the place they are imported from."""
    about = (import_module(package).__doc__ or "").strip()
    lines = [f"# {package}", "", about, ""]
    for place in sorted({entry.package for entry in found}):
        lines += [f"## from {place} import", ""]
        for entry in sorted(found, key=lambda each: each.name):
            if entry.package == place:
                lines += [f"::: {entry.home}", ""]
    return "\n".join(lines)


def index(listed: dict[str, list[Entry]]) -> str:
    """The page that lists all names, a line each."""
    lines = ["# Reference", "", "Every public name, from its docstring. A name is imported from where the heading says.", ""]
    for package, found in listed.items():
        lines += [f"## [{package}]({package}.md)", "", "| name | what it is |", "| --- | --- |"]
        for entry in sorted(found, key=lambda each: each.name):
            about = entry.about.replace("|", "&#124;").replace("\n", " ")
            lines.append(f"| [`{entry.name}`][{entry.home}] | {about} |")
        lines.append("")
    return "\n".join(lines)


def first_sentence(thing: Any) -> str:
    """The first paragraph of a docstring's first line."""
    return (getdoc(thing) or "").partition("\n")[0]
