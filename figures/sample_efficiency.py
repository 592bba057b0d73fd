"""What each part of the learned-model agent is good for: steps until solved, with one part less at a time.

`sample_efficiency_ablations.json` holds what `python examples/sample_efficiency.py --ablations` measures.
"""

import json
from collections.abc import Iterator, Sequence
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from agentic import Interval
from figures.style import COLORS, picture

MEASURED = Path(__file__).with_name("sample_efficiency_ablations.json")
APART = 0.09  # between seeds


def steps(row: dict[str, Any]) -> float:
    """The first look at the threshold; of who never reached it the cap, which is too few."""
    return float(row["cap"] if row["solved"] is None else row["solved"])


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean, by Student's t; without width for a single value."""
    count = len(values)
    if count < 2:
        return values[0], values[0]
    bounds = Interval.student(mean(values), stdev(values) / sqrt(count), count - 1, level=0.95)
    return bounds.low, bounds.high


def draw(folder: Path, measured: Path = MEASURED) -> Iterator[Path]:
    """A panel for each task: every seed, filled where it stays solved, a cross where it never was; mean and interval.

    Nothing where nothing was measured.
    """
    if not measured.exists():
        return
    rows = json.loads(measured.read_text(encoding="utf-8"))["rows"]
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    path = folder / "sample_efficiency.svg"
    size = (1.6 + 3.1 * len(tasks), 0.9 + 0.42 * len(variants))
    with picture(path, len(tasks), figsize=size, sharey=True, squeeze=False) as axes:
        for axis, task in zip(axes[0], tasks, strict=True):
            for level, variant in enumerate(variants):
                seeds = [row for row in rows if (row["task"], row["variant"]) == (task, variant)]
                if seeds:
                    _variant(axis, level, seeds)
            axis.set(title=task, xlabel="environment steps until solved", xlim=(0, None))
        axes[0][0].set_yticks(range(len(variants)), variants)
        axes[0][0].invert_yaxis()
    yield path


def _variant(axis: Any, level: int, seeds: Sequence[dict[str, Any]]) -> None:
    values = [steps(row) for row in seeds]
    color = COLORS[level % len(COLORS)]
    axis.plot(interval(values), (level, level), color=color, linewidth=5, alpha=0.3, solid_capstyle="butt")
    axis.plot([mean(values)], [level], "|", color=color, markersize=14)
    for place, (row, value) in enumerate(zip(seeds, values, strict=True)):
        height = level + APART * (place - (len(seeds) - 1) / 2)
        mark, inside = ("x", color) if row["solved"] is None else ("o", color if row["stays"] else "white")
        axis.plot([value], [height], mark, color=color, markerfacecolor=inside, markersize=4)
