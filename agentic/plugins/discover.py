"""Installed plugins, from package metadata and file names alone: nothing of a third party is imported here.

That is what keeps `agentic --help` and `agentic plugins` fast, and alive when a plugin is broken.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from shlex import quote
from textwrap import shorten
from typing import Any

from agentic.errors import UserError, described


class PluginError(UserError):
    """A plugin or component that cannot be used as asked: says what was expected, what came and what to do."""


@dataclass(eq=False)
class Problem(PluginError):
    """A problem of one plugin and its remedy, on one line; its `__cause__` is the exception behind it, if any."""

    plugin: str
    version: str | None
    cause: str
    remedy: str

    def __str__(self) -> str:
        name = f"{self.plugin} {self.version}" if self.version else self.plugin
        return shorten(f"plugin {name}: {self.cause}; {self.remedy}", 1000, placeholder="...")


@dataclass(frozen=True)
class PluginRow:
    """One plugin, as `agentic plugins` lists it, and what there is to import.

    `id` is the normalized distribution name, or the stem of a local file, which has no version. `source` is built-in,
    installed or file. `status` is not loaded, disabled, unreadable or clash (the second plugin of one id), and after
    `load` also loaded or failed; `cause` says why it is not usable.
    """

    id: str
    version: str | None
    source: str
    location: str
    status: str = "not loaded"
    cause: str = ""
    hooks: tuple[EntryPoint, ...] = ()
    commands: tuple[EntryPoint, ...] = ()

    @property
    def handle(self) -> str:
        """What `agentic plugins check` takes for it, as a shell takes that."""
        return quote(self.location) if self.source == "file" else self.id

    def problem(self, cause: str, remedy: str) -> Problem:
        """A problem of this plugin."""
        return Problem(self.id, self.version, cause, remedy)


def installed(files: Iterable[str | Path] = (), directories: Iterable[str | Path] = ()) -> list[PluginRow]:
    """All plugins there are: built-ins first, then by id, then local files, those in AGENTIC_PLUGINS_DIR last.

    AGENTIC_LOAD_PLUGINS (the only ones admitted; empty admits none) and AGENTIC_DISABLED_PLUGINS, ids separated
    by commas, disable the others; a file named here is admitted unless it is named there too. Raises PluginError for
    a file or directory that does not exist.
    """
    packages = sorted(_packages(), key=lambda row: (row.source != "built-in", row.id))
    named = [*map(_local, files), *(row for directory in directories for row in _locals(directory))]
    implied = os.environ.get("AGENTIC_PLUGINS_DIR")
    first: dict[str, PluginRow] = {}
    seen: dict[Any, PluginRow] = {}
    for row in [*packages, *named, *(_locals(implied) if implied else [])]:
        known, shown = first.setdefault(normalized(row.id), row), _admitted(row, row in named)
        if known is not row and shown.status == "not loaded":
            cause = f"a second plugin of this id, the first is in {known.location}"
            shown = replace(row, status="clash", cause=cause)
        # One thing may be seen twice: a path named twice, or an editable install beside its own metadata.
        what = row.location if row.source == "file" else (row.version, row.hooks, row.commands)
        seen.setdefault((normalized(row.id), what), shown)
    return list(seen.values())


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def ids(variable: str) -> set[str]:
    """The plugin ids an environment variable lists."""
    return {normalized(part.strip()) for part in os.environ.get(variable, "").split(",") if part.strip()}


def _admitted(row: PluginRow, named: bool) -> PluginRow:
    """The row, disabled where the environment variables say so."""
    if row.source == "built-in":
        return row
    if normalized(row.id) in ids("AGENTIC_DISABLED_PLUGINS"):
        return replace(row, status="disabled", cause="named in AGENTIC_DISABLED_PLUGINS")
    if "AGENTIC_LOAD_PLUGINS" in os.environ and not named and normalized(row.id) not in ids("AGENTIC_LOAD_PLUGINS"):
        return replace(row, status="disabled", cause="not named in AGENTIC_LOAD_PLUGINS")
    return row


def _packages() -> Iterator[PluginRow]:
    for dist in distributions():
        try:
            if "[agentic" in (dist.read_text("entry_points.txt") or ""):
                yield from _package(dist)
        except Exception as error:  # metadata is a third party's file: anything may be in it
            folder = Path(str(getattr(dist, "_path", "unknown")))
            cause = f"its metadata cannot be read ({described(error)})"
            yield PluginRow(folder.name.split("-")[0], None, "installed", str(folder), "unreadable", cause)


def _package(dist: Distribution) -> Iterator[PluginRow]:
    hooks, commands = (tuple(dist.entry_points.select(group=group)) for group in ("agentic", "agentic.commands"))
    for point in (*hooks, *commands):
        if EntryPoint.pattern.match(point.value) is None:
            raise ValueError(f"entry point {point.name} = {point.value!r} names no module")
    name = normalized(dist.metadata["Name"])
    source = "built-in" if name == "agentic" else "installed"
    if hooks or commands:
        yield PluginRow(name, dist.version, source, str(dist.locate_file("")), hooks=hooks, commands=commands)


def _is_plugin(file: Path) -> bool:
    return (file.suffix == ".py" and file.is_file()) or (file / "__init__.py").is_file()


def _local(file: str | Path) -> PluginRow:
    path = Path(os.path.realpath(file))  # which a link to itself does not stop
    if not _is_plugin(path):
        raise PluginError(
            f"expected a plugin file ending in .py or a folder with an __init__.py, got {path}; check the path"
        )
    return PluginRow(path.stem, None, "file", str(path))


def _locals(directory: str | Path) -> list[PluginRow]:
    """The plugins of a folder by name; tests and private files beside them are none."""
    if not Path(directory).is_dir():
        raise PluginError(f"expected a folder of plugin files, got {directory}, which is no folder; check the path")
    others = ("_", ".", "test_", "conftest")
    return [_local(f) for f in sorted(Path(directory).iterdir()) if _is_plugin(f) and not f.name.startswith(others)]
