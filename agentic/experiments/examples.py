"""The experiment files that come with agentic: beside the package in a wheel, `examples/` in a checkout."""

from importlib.resources import files
from pathlib import Path

from agentic.errors import UserError


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
