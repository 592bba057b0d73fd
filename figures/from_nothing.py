"""What was learned from nothing, seed by seed, beside Q-learning.

`from_nothing.json` holds what `python -m benchmarks from_nothing --json` measures, put together from single seeds.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures.style import COLORS, picture

MEASURED = Path(__file__).with_suffix(".json")
APART = 0.07  # between seeds of the same value


def measured() -> dict[str, Any]:
    """What the benchmark printed as JSON."""
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def draw(folder: Path) -> Iterator[Path]:
    """A panel for each world: a point for each seed of each learner, and a line at what can be had."""
    lessons = measured()["from_nothing"]
    worlds = list(dict.fromkeys(each["world"] for each in lessons))
    learners = list(dict.fromkeys(each["learner"] for each in lessons))
    path = folder / "from_nothing.svg"
    with picture(path, len(worlds), figsize=(3.1 * len(worlds), 2.6), sharey=True) as axes:
        for axis, world in zip(axes, worlds, strict=True):
            here = [each for each in lessons if each["world"] == world]
            for each in here:
                place = learners.index(each["learner"])
                spread = [place + APART * (i - (len(each["values"]) - 1) / 2) for i in range(len(each["values"]))]
                axis.plot(sorted(each["values"]), spread, "o", color=COLORS[place], markersize=3.5)
            axis.axvline(here[0]["wanted"], color="0.4", linewidth=0.8, linestyle="--")
            axis.set(title=f"{world.partition('-v')[0]}, {here[0]['steps']:,} steps", xlabel="return expected")
        axes[0].set_yticks(range(len(learners)), learners)
        axes[0].invert_yaxis()
    yield path
