"""The experiment files that come with agentic: beside the package in a wheel, `examples/` in a checkout."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from agentic.errors import UserError
from agentic.experiments.toml import read
from agentic.experiments.worlds import gymnasium_id, versioned
from agentic.plugins import Registry


def folder() -> Path:
    """The folder of the examples. Raises UserError where they were left out of the installation."""
    package = Path(str(files("agentic")))
    checkout = package.parent / "examples" if (package.parent / "pyproject.toml").is_file() else package
    for place in (package / "examples", checkout):
        if any(place.glob("*.toml")):
            return place
    raise UserError("this installation lacks its examples: reinstall agentic, or give an experiment file of your own")


def example(name: str) -> Path:
    """The file of one example, as short a path as leads there from here."""
    path = folder() / f"{name}.toml"
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def for_environment(identifier: str, registry: Registry) -> dict[str, Any] | None:
    """The tables of the example for this very environment, unchanged and of the shortest name; None without one."""
    wanted = versioned(gymnasium_id(identifier, registry))
    for path in sorted(folder().glob("*.toml"), key=lambda path: (len(path.name), path.name)):
        tables = read(path)
        env = tables.get("env", {})
        changed = env.get("changes") or env.get("wrappers")
        if gymnasium_id(env.get("id", ""), registry) == wanted and not changed:
            return tables
    return None
