"""Trust: what runs without asking is installed, or named by the user; what only a received folder names is data."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agentic.errors import shown
from agentic.experiments.agent_file import agent_path
from agentic.experiments.worlds import made_by
from agentic.plugins.making import is_table
from agentic.plugins.parameters import walk
from agentic.plugins.registry import Registry

MODULE = re.compile(r"(\S+):\S+")  # as in "package.module:Name-v0"


def untrusted(tables: Mapping[str, Any], registry: Registry) -> Iterator[str]:
    """What tables of an experiment name that would be run, or may be written, where it is built.

    That is an agent that is a file, a saved policy or any other file, and a module of no installed distribution. It is
    also every text among the arguments of a wrapper, and of a third party's component or world: any may be a path.
    Gymnasium's own worlds and the components of agentic write no files.
    """
    given = [Path(path) for path in registry.files]
    for key, text in _texts(tables):
        named = key in ("path", "pickle", "from") or (key not in ("id", "name") and _is_file(text))
        file, module = agent_path(text) or (text if named else ""), MODULE.fullmatch(text)
        if file and _resolved(file) not in given:
            yield file
        elif not file and (module or (key == "id" and ":" in text)):
            if not _installed(text.partition(":")[0], registry):
                yield text
    known = {name for c in registry.components for name in (c.name, c.full_name)}
    for arguments in _foreign(tables, registry):
        yield from (f"{key} = {shown(text)}" for key, text in _texts(arguments) if text not in known)


def _foreign(tables: Mapping[str, Any], registry: Registry) -> Iterator[Any]:
    """The arguments in tables of an experiment that are given to wrappers and to third parties."""
    theirs = {name for c in registry.components if c.source == "installed" for name in (c.name, c.full_name)}
    for _, table in walk(tables):
        if is_table(table) and table["name"] in theirs:
            yield table
    env = tables.get("env", {})
    for wrapper in env.get("wrappers", ()):
        yield {} if isinstance(wrapper, str) else {key: part for key, part in wrapper.items() if key != "name"}
    offered = registry.winner("envs", env["id"])
    module = made_by(env["id"])
    if (offered.source == "installed") if offered else module not in ("gymnasium", *_ours(registry, "built-in")):
        yield env.get("kwargs", {})


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in plain tables, with the key it stands under."""
    return ((key, part) for key, part in walk(value) if isinstance(part, str))


def _is_file(text: str) -> bool:
    return os.path.lexists(text) or os.path.lexists(f"{text}.zip")


def _resolved(file: str) -> Path | None:
    try:
        return Path(file).resolve()
    except (OSError, ValueError, RuntimeError):  # a link to itself, or what is no name of a file
        return None


def _installed(module: str, registry: Registry) -> bool:
    """Whether a module belongs to an installed distribution, and is found there and not in a folder before it."""
    top = module.partition(".")[0]
    if not all(part.isidentifier() for part in module.split(".")):
        return False
    if top in _ours(registry, "built-in", "installed"):  # also of an editable installation, whose files are elsewhere
        return True
    with suppress(ImportError, ValueError):
        spec = find_spec(top)
        for name in packages_distributions().get(top, ()):
            home = Path(str(distribution(name).locate_file("")))
            found = Path(spec.origin) if spec and spec.origin else Path()  # which may be a link from there
            if found.is_relative_to(home) or found.resolve().is_relative_to(home.resolve()):
                return True
    return False


def _ours(registry: Registry, *sources: str) -> set[str]:
    """The packages of agentic and of its plugins from such sources."""
    points = (point for row in registry.rows if row.source in sources for point in row.hooks)
    return {"agentic", *(point.module.partition(".")[0] for point in points)}
