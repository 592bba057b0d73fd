"""Two bench folders compared cell by cell, as before and after a change: `python -m benchmarks.cells BEFORE AFTER`."""

import sys
from pathlib import Path
from typing import Any

from agentic_bench import read_cells

KEY = ("world", "agent", "metric")


def cells(folder: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """The cells of a bench folder, by world, agent and metric."""
    found = read_cells(folder)["cells"]
    return {tuple(str(cell[key]) for key in KEY): cell for cell in found}


def differences(before: Path, after: Path) -> list[str]:
    """A line for every cell that is not the same to the last bit, or that only one of the folders has."""
    old, new = cells(before), cells(after)
    lines = [
        f"{' / '.join(key)}: only {'before' if key in old else 'after'}" for key in sorted(old.keys() ^ new.keys())
    ]
    for key in sorted(old.keys() & new.keys()):
        changed = [name for name in old[key].keys() | new[key].keys() if old[key].get(name) != new[key].get(name)]
        lines += [f"{' / '.join(key)}: {name} {old[key].get(name)!r} -> {new[key].get(name)!r}" for name in changed]
    return lines


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    before, after = map(Path, sys.argv[1:])
    lines = differences(before, after)
    print("\n".join([*lines, f"{len(cells(after))} cells, {len(lines)} differences"]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
