"""Where runs lie: in a folder of runs, in a bench or a sweep, or in one of their own."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from agentic.jobs import UnitFolder
from agentic.runs import RunFolder, is_own
from agentic_bench import BenchFolder

DEEPEST = 5  # folders from one that is named to a run in it: a bench, its units, a world, an agent, a seed
OUTCOMES = "runs.csv"  # of a sweep: a line for each run, failed ones among them


def is_bench(folder: Path) -> bool:
    """Whether a bench lies there."""
    found = BenchFolder(folder)
    return is_own(found.cells_file) or is_own(found.file)


def is_sweep(folder: Path) -> bool:
    """Whether several runs of one undertaking lie there, of a bench or of anything else that writes units."""
    return UnitFolder(folder).holds_units


def is_run(folder: Path) -> bool:
    """Whether one run lies there."""
    return RunFolder(folder).holds_run and not is_sweep(folder) and not is_bench(folder)


def run_folders(folder: Path) -> list[Path]:
    """The folder itself where it is that of a run, else those of runs in it, in the order of their names.

    Numbers in names are ordered as numbers. Links that lead out of the folder are left out, and what begins with a dot.
    """
    return [*_below(folder, folder, DEEPEST)]


def subfolders(folder: Path, home: Path) -> list[Path]:
    """The folders in a folder that do not lead out of `home`, in the order of their names; none that cannot be read."""
    try:
        found = [path for path in folder.iterdir() if path.name[:1] != "." and path.is_dir() and holds(home, path)]
    except OSError:
        return []
    return sorted(found, key=ordered)


def ordered(path: Path) -> list[tuple[int, str]]:
    """The key by which names are ordered."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,18})", path.name) if part]


def holds(home: Path, path: Path) -> bool:
    """Whether a path lies in a folder, links followed."""
    try:
        if path.parent == home and not path.is_symlink():
            return True
        return path.resolve().is_relative_to(home.resolve())
    except (OSError, RuntimeError, ValueError):  # a link to itself
        return False


def said_in(paths: Iterable[Path]) -> str:
    """Where it says what became of the runs of a sweep that has none; empty where none of the folders is such."""
    tables = [path / OUTCOMES for path in paths if is_sweep(path) and is_own(path / OUTCOMES)]
    return f"what became of the runs of this sweep is in {tables[0]}" if tables else ""


def _below(folder: Path, home: Path, deeper: int) -> Iterator[Path]:
    if is_run(folder):
        yield folder
    elif deeper:
        for each in subfolders(folder, home):
            yield from _below(each, home, deeper - 1)
