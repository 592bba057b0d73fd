"""Reference pages: for each room of the core and each package, the public names, from their docstrings.

Two lists lead to them: one by name in Python, one by the name that files have for a component.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from inspect import getdoc, isclass, isfunction, isroutine
from pkgutil import iter_modules
from typing import Any, final

import agentic
from agentic.plugins import KINDS
from agentic_catalog.entries import Catalog
from agentic_catalog.pages import heading
from agentic_catalog.places import Places

_NAMES = "agents bench discovery energies envs exchange fit life loggers metrics optimizers ray report sweep"
PACKAGES = tuple(f"agentic_{name}" for name in _NAMES.split())
"""Packages with names for Python; the others are commands alone."""
LISTS = ("reference/index.md", "reference/names.md")


@final
@dataclass(frozen=True)
class Entry:
    """A public name: where it is imported from, its name there, and the module path of what it is."""

    package: str
    name: str
    home: str
    about: str


def pages() -> dict[str, str]:
    """The Markdown of every page, by its place in the site, first those that list names."""
    rooms = [f"agentic.{found.name}" for found in iter_modules(agentic.__path__) if found.ispkg]
    listed: dict[str, list[Entry]] = {name: [] for name in ("agentic", *rooms, *PACKAGES)}
    seen: set[str] = set()
    for each in entries(list(listed)):
        if each.home not in seen:
            seen.add(each.home)
            listed[page_of(each, listed)].append(each)
    there = {name: found for name, found in listed.items() if found}
    lists = zip(LISTS, (index(there), names_in_files(seen)), strict=True)
    return {**dict(lists), **{f"reference/{name}.md": page(name, there[name]) for name in there}}


def entries(packages: list[str]) -> Iterator[Entry]:
    """Every public name of the packages, and every component that they offer, those of `agentic` first."""
    for package in packages:
        module = import_module(package)
        for name in sorted(getattr(module, "__all__", ())):
            thing = getattr(module, name)
            if isclass(thing) or isroutine(thing):
                yield entry(package, thing, name)
    registry = agentic.load()
    for kind in KINDS:
        for name in registry.names(kind):
            target = registry.resolve(kind, name)
            package = target.__module__.partition(".")[0]
            if package in PACKAGES and (isclass(target) or isfunction(target)):
                yield entry(target.__module__, target)


def entry(package: str, thing: Any, name: str | None = None) -> Entry:
    """The entry of a class or function that is imported from a package, under its own name or another."""
    about = (getdoc(thing) or "").partition("\n")[0]
    return Entry(package, name or thing.__name__, f"{thing.__module__}.{thing.__qualname__}", about)


def page_of(entry: Entry, packages: Collection[str]) -> str:
    """The page of an entry: the room or package in which it lives, however it is imported."""
    parts = entry.home.split(".")
    room = ".".join(parts[:2]) if parts[0] == "agentic" else parts[0]
    return room if room in packages else entry.package


def page(package: str, found: list[Entry]) -> str:
    """One page: what the room is for, then its names under the place they are imported from."""
    about = (import_module(package).__doc__ or "").strip()
    lines = [f"# {package}", "", about, ""]
    for place in sorted({each.package for each in found}):
        names = sorted((each.name, each.home) for each in found if each.package == place)
        lines += [f"## from {place} import", "", *(f"::: {home}\n" for _, home in names)]
    return "\n".join(lines)


def index(listed: dict[str, list[Entry]]) -> str:
    """The page that lists all names, a line each."""
    lines = [
        "# Reference",
        "",
        "Every public name by the room or package that it lives in, where it is imported from, and what it is.",
        "Components by the names that experiment files have for them: [names in files](names.md).",
        "",
    ]
    for package, found in listed.items():
        lines += [f"## [{package}]({package}.md)", "", "| name | imported from | what it is |", "| --- | --- | --- |"]
        for each in sorted(found, key=lambda each: each.name):
            lines.append(f"| [`{each.name}`][{each.home}] | `{each.package}` | {_cell(each.about)} |")
        lines.append("")
    return "\n".join(lines)


def names_in_files(known: Collection[str]) -> str:
    """The page that lists components by the names that files have for them, under contract and table.

    `known` are the module paths of what has a place in the reference.
    """
    catalog = Catalog.of(agentic.load())
    places, groups = Places(catalog), dict[str, list[str]]()
    for each in catalog.entries:
        home = f"{each.target.__module__}.{each.target.__qualname__}" if each.target else ""
        if home in known:
            row = f"| `{each.name}` | [`{each.target.__name__}`][{home}] | {_cell(each.summary)} |"
            groups.setdefault(heading(each, places), []).append(row)
    lines = [
        "# Names in files",
        "",
        "Every component by the name that files and commands have for it, under its contract and the table of a file",
        "that it fills. `agentic components NAME` prints one with its parameters and an example.",
        "",
    ]
    for title, rows in groups.items():
        contract, _, tables = title.partition(", ")
        lines += [f"## {contract}{f': `{tables}`' if tables else ''}", "", "| name | class | what it is |"]
        lines += ["| --- | --- | --- |", *sorted(rows), ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "&#124;")
