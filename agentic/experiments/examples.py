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


def examples() -> list[str]:
    """The names of all examples, as `example` takes them: an experiment's `tmaze`, a bench's `bench/battery`."""
    home = folder()
    found = (*home.glob("*.toml"), *home.glob("bench/*.toml"))
    return sorted(
        (path.relative_to(home).with_suffix("").as_posix() for path in found), key=lambda name: (name.count("/"), name)
    )
