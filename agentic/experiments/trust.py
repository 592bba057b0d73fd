"""Trust: what runs without asking is installed, or named by the user; what only a received folder names is data."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agentic.errors import UserError, listed
from agentic.experiments.agent_file import agent_path
from agentic.experiments.experiment import Experiment
from agentic.plugins.registry import Registry

MODULE = re.compile(r"(\S+):\S+")  # as in "package.module:Name-v0"


def check_trusted(experiment: Experiment, registry: Registry, source: str, *, trust: bool = False) -> None:
    """Check that an experiment, read from a folder, asks for nothing to be run that only this folder names.

    `registry` holds the components of installed distributions and the files that the user named; `source` is the file
    in messages. Raises UserError, unless the folder is given `trust`, for an agent that is a file, a saved policy or
    any other file, and for a module of no installed distribution.
    """
    found = [] if trust else list(dict.fromkeys(untrusted(experiment.tables(), registry)))
    if found:
        raise UserError(
            f"{source} names {listed(found)}, which neither an installed distribution nor this command line brings: "
            "it is run only with --trust"
        )


def untrusted(tables: Mapping[str, Any], registry: Registry) -> Iterator[str]:
    """The files and modules that tables of an experiment name and whose code would run where it is built."""
    given = [Path(row.location) for row in registry.rows if row.source == "file"]
    for key, text in _texts(tables):
        file = agent_path(text) or (text if key == "path" or (key not in ("id", "name") and _is_file(text)) else "")
        module = MODULE.fullmatch(text)
        if file and _resolved(file) not in given:
            yield file
        elif not file and (module or (key == "id" and ":" in text)):
            if not _installed(text.partition(":")[0], registry):
                yield text


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in plain tables, with the key it stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _texts(part, name)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part, key)


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
    plugins = {point.module.partition(".")[0] for row in registry.rows for point in row.hooks}
    if top == "agentic" or top in plugins:  # also of an editable installation, whose files are elsewhere
        return True
    with suppress(ImportError, ValueError):
        spec = find_spec(top)
        for name in packages_distributions().get(top, ()):
            home = Path(str(distribution(name).locate_file(""))).resolve()
            if spec and spec.origin and Path(spec.origin).resolve().is_relative_to(home):
                return True
    return False
