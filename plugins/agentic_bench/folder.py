"""The folder of a bench: the only place that knows how its files are called, and where each unit lies."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, final

from agentic.errors import UserError
from agentic.runs import RunFolder, is_own, json_table, toml_table, unsealed

LONGEST = 60  # letters of a label in the name of a folder
UNITS = "units"
SEED = "seed-"
MOST = 10_000  # runs that are counted


@final
class BenchFolder:
    """The folder of a bench, finished or not, by the paths of its files and what can be read of them.

    `file` is the resolved bench file, as TOML; `cells_file` the table of the bench, as JSON.
    """

    CELLS: ClassVar[str] = "cells.json"

    def __init__(self, path: Path) -> None:
        self.path, self._units = path, path / UNITS
        self.file, self.cells_file = path / "battery.toml", path / self.CELLS

    @property
    def holds_bench(self) -> bool:
        """Whether a bench left a table or units here."""
        return is_own(self.cells_file) or self.holds_units

    @property
    def holds_units(self) -> bool:
        """Whether runs lie here as those of a bench do."""
        return self._units.is_dir() and self._holds(self._units)

    @property
    def size(self) -> int:
        """The number of runs that lie here, counted as far as MOST."""
        return sum(1 for _ in islice(self._units.glob(f"**/{SEED}*"), MOST))

    @property
    def settings(self) -> dict[str, Any]:
        """The tables of the resolved file; empty where it cannot be read."""
        return toml_table(self.file)

    @property
    def manifest(self) -> dict[str, Any]:
        """The content of the manifest; empty where it cannot be read."""
        return RunFolder(self.path).manifest

    @property
    def cells(self) -> dict[str, Any]:
        """The content of the table; empty where it cannot be read, or is not what was written."""
        return unsealed(json_table(self.cells_file)) or {}

    def units(self, world: str, agent: str) -> dict[int, Path]:
        """The folders of an agent's runs in a world, by seed and in that order; not what links out of the bench."""
        found = (self._units / slug(world) / slug(agent)).glob(f"{SEED}*")
        numbered = [(path.name.removeprefix(SEED), path) for path in found if self._holds(path)]
        return dict(sorted((int(seed), path) for seed, path in numbered if seed.isdecimal()))

    def draft(self, label: str) -> Path:
        """The folder in which the task of that label is at work, until it is done."""
        return self._units / f".{slug(label)}"

    def drafts(self) -> list[Path]:
        """The folders that tasks are at work in, or were when they were killed."""
        return sorted(self._units.glob(".*"))

    def check_writable(self) -> None:
        """Check that no folder to write into is a link, which may lead anywhere. Raises UserError."""
        patterns = ("*", "*/*", "*/*/*")
        for place in (self._units, *(path for pattern in patterns for path in self._units.glob(pattern))):
            if place.is_symlink():
                raise UserError(f"cannot write the bench folder {self.path}: {place} is a link; give another one")

    def _holds(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self.path.resolve())
        except (OSError, RuntimeError):  # a link to itself
            return False


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """A block that writes into the folder of a bench. Raises UserError where that fails."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write the bench folder {folder}: {error.strerror}; give another one") from error


def unit(world: str, agent: str, seed: int) -> Path:
    """The folder of an agent's run in a world, within that of a bench."""
    return Path(UNITS, slug(world), slug(agent), f"{SEED}{seed}")


def slug(label: str) -> str:
    """The name of a folder for a label; labels that differ keep different names."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:LONGEST] or "x"
    return plain if plain == label else f"{plain}-{hashlib.sha256(label.encode()).hexdigest()[:6]}"
