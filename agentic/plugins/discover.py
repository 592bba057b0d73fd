"""What is installed, from package metadata and file names alone: nothing of a stranger is imported here.

That is what keeps `agentic --help` and `agentic plugins` fast, and alive when a plugin is broken.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from agentic.errors import UserError


class PluginError(UserError):
    """A plugin or component that cannot be used as asked: says what was expected, what came and what to do."""


@dataclass(frozen=True)
class PluginRow:
    """One plugin, as `agentic plugins` lists it, and what there is to import.

    `id` is the normalised distribution name, or the stem of a local file, which has no version. `source` is built-in,
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


def installed(files: Iterable[str | Path] = (), directories: Iterable[str | Path] = ()) -> list[PluginRow]:
    """Every plugin there is: built-ins first, then by id, then local files, those in AGENTIC_PLUGINS_DIR last.

    AGENTIC_LOAD_PLUGINS (the only strangers admitted; empty admits none) and AGENTIC_DISABLED_PLUGINS, ids separated
    by commas, disable the others; a file named here is admitted unless it is named there too. Raises PluginError for
    a file or directory that does not exist.
    """
    named = [_local(Path(file)) for file in files]
    named += [row for directory in directories for row in _locals(directory)]
    implied = os.environ.get("AGENTIC_PLUGINS_DIR")
    rows = [*sorted(_packages(), key=lambda row: (row.source != "built-in", row.id)), *named]
    first: dict[str, PluginRow] = {}
    result = []
    for row in [*rows, *(_locals(implied) if implied else [])]:
        known = first.setdefault(normalized(row.id), row)
        if known is not row and _same(known, row):
            continue
        if refusal := _refusal(row, named):
            row = replace(row, status="disabled", cause=refusal)
        elif known is not row and row.status == "not loaded":
            row = replace(row, status="clash", cause=f"a second plugin of this id, the first is in {known.location}")
        result.append(row)
    return result


def _same(a: PluginRow, b: PluginRow) -> bool:
    """Whether one thing was seen twice: a path listed twice, or an editable install beside its own metadata."""
    if "file" in (a.source, b.source):
        return (a.source, a.location) == (b.source, b.location)
    return (a.version, a.hooks, a.commands) == (b.version, b.hooks, b.commands)


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def ids(variable: str) -> set[str] | None:
    """The plugin ids an environment variable lists, None if it is not set."""
    text = os.environ.get(variable)
    return None if text is None else {normalized(part.strip()) for part in text.split(",") if part.strip()}


def _refusal(row: PluginRow, named: list[PluginRow]) -> str:
    allowed, disabled = ids("AGENTIC_LOAD_PLUGINS"), ids("AGENTIC_DISABLED_PLUGINS") or set()
    if row.source == "built-in":
        return ""
    if normalized(row.id) in disabled:
        return "named in AGENTIC_DISABLED_PLUGINS"
    if allowed is not None and normalized(row.id) not in allowed and row not in named:
        return "not named in AGENTIC_LOAD_PLUGINS"
    return ""


def _packages() -> Iterator[PluginRow]:
    for dist in distributions():
        try:
            if "[agentic" in (dist.read_text("entry_points.txt") or ""):
                yield from _package(dist)
        except Exception as error:  # metadata is a stranger's file: anything may be in it
            folder = Path(str(getattr(dist, "_path", "unknown")))
            cause = f"its metadata cannot be read ({type(error).__name__}: {error})"
            yield PluginRow(folder.name.split("-")[0], None, "installed", str(folder), "unreadable", cause)


def _package(dist: Distribution) -> Iterator[PluginRow]:
    hooks = tuple(dist.entry_points.select(group="agentic"))
    commands = tuple(dist.entry_points.select(group="agentic.commands"))
    for point in (*hooks, *commands):
        if EntryPoint.pattern.match(point.value) is None:
            raise ValueError(f"entry point {point.name} = {point.value!r} names no module")
    name = normalized(dist.metadata["Name"])
    source = "built-in" if name == "agentic" else "installed"
    if hooks or commands:
        yield PluginRow(name, dist.version, source, str(dist.locate_file("")), hooks=hooks, commands=commands)


def _local(file: Path) -> PluginRow:
    file = file.resolve()
    if (file.suffix == ".py" and file.is_file()) or (file / "__init__.py").is_file():
        return PluginRow(file.stem, None, "file", str(file))
    raise PluginError(
        f"expected a plugin file ending in .py or a folder with an __init__.py, got {file}; check the path"
    )


def _locals(directory: str | Path) -> list[PluginRow]:
    """The plugins of a folder by name; tests and private files beside them are none."""
    if not Path(directory).is_dir():
        raise PluginError(f"expected a folder of plugin files, got {directory}, which is no folder; check the path")
    files = [
        file for file in sorted(Path(directory).iterdir()) if not file.name.startswith(("_", ".", "test_", "conftest"))
    ]
    return [_local(file) for file in files if file.suffix == ".py" or (file / "__init__.py").is_file()]
