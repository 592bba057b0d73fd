"""The folder of a bench: the only place that knows how its files are called, and where each unit lies."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, final

from agentic.errors import UserError
from agentic.runs import RunFolder, json_table

LONGEST = 60  # letters of a label in the name of a folder
UNITS = "units"
SEED = "seed-"


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
        return self.cells_file.is_file() or (self._units).is_dir()

    @property
    def manifest(self) -> dict[str, Any]:
        """The content of the manifest; empty where it cannot be read."""
        return RunFolder(self.path).manifest

    @property
    def cells(self) -> dict[str, Any]:
        """The content of the table; empty where it cannot be read."""
        return json_table(self.cells_file)

    def units(self, world: str, agent: str) -> dict[int, Path]:
        """The folders of an agent's runs in a world, by seed and in that order."""
        found = (self._units / slug(world) / slug(agent)).glob(f"{SEED}*")
        numbered = [(path.name.removeprefix(SEED), path) for path in found]
        return dict(sorted((int(seed), path) for seed, path in numbered if seed.isdecimal()))

    def draft(self, label: str) -> Path:
        """The folder in which the task of that label is at work, until it is done."""
        return self._units / f".{slug(label)}"

    def drafts(self) -> list[Path]:
        """The folders that tasks are at work in, or were when they were killed."""
        return sorted(self._units.glob(".*"))


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
