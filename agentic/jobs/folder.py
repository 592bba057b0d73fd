"""The folder in which jobs leave what comes of them: the only place that knows where each lies."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from os import getpid
from pathlib import Path
from typing import final

from agentic.errors import UserError

LONGEST = 60  # letters of a label in the name of a folder
UNITS = "units"
SEED = "seed-"
MOST = 10_000  # units that are counted


@final
class UnitFolder:
    """The folders of units within that of the whole: by two labels, such as those of world and agent, and a seed."""

    def __init__(self, path: Path) -> None:
        self.path, self._units = path, path / UNITS

    @property
    def holds_units(self) -> bool:
        """Whether there are any."""
        return self._units.is_dir() and self._holds(self._units)

    @property
    def size(self) -> int:
        """The number of units that are there, counted as far as MOST."""
        return sum(1 for _ in islice(self._units.glob(f"**/{SEED}*"), MOST))

    def seeds(self, *labels: str) -> dict[int, Path]:
        """The folders of the units of these labels, by seed and in that order; not what links out of the whole."""
        found = self._units.joinpath(*map(slug, labels)).glob(f"{SEED}*")
        numbered = [(path.name.removeprefix(SEED), path) for path in found if self._holds(path)]
        return dict(sorted((int(seed), path) for seed, path in numbered if seed.isdecimal()))

    def draft(self, label: str) -> Path:
        """The folder in which the job of that label leaves its results until it is done, this process's own."""
        return self._units / f".{slug(label)}-{getpid()}"

    def drafts(self) -> list[Path]:
        """The folders that jobs are at work in, or were when they were killed."""
        return sorted(self._units.glob(".*"))

    def check_writable(self) -> None:
        """Check that no folder to write into is a link, which may lead anywhere. Raises UserError."""
        patterns = ("*", "*/*", "*/*/*")
        for place in (self._units, *(path for pattern in patterns for path in self._units.glob(pattern))):
            if place.is_symlink():
                raise UserError(f"cannot write the folder {self.path}: {place} is a link; give another one")

    def _holds(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self.path.resolve())
        except (OSError, RuntimeError):  # a link to itself
            return False


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """A block that writes into a folder of jobs. Raises UserError where that fails."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write the folder {folder}: {error.strerror}; give another one") from error


def unit_path(*labels: str, seed: int) -> Path:
    """The folder of the unit of these labels and a seed, within that of the whole."""
    return Path(UNITS, *map(slug, labels), f"{SEED}{seed}")


def slug(label: str) -> str:
    """The name of a folder for a label; labels that differ keep different names."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:LONGEST] or "x"
    return plain if plain == label else f"{plain}-{hashlib.sha256(label.encode()).hexdigest()[:6]}"
