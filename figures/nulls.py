"""One metric of a planner and of a random agent in the T-maze, each beside what chance gives."""

from collections.abc import Iterator
from pathlib import Path

import agentic
from figures.style import COLORS, picture

WORLD = "agentic/TMaze-v0"
EPISODES = 100


def draw(folder: Path) -> Iterator[Path]:
    """Value, interval and null of policy complexity, as SVG."""
    path = folder / "nulls.svg"
    found = {name: measured(name) for name in ("planner", "random")}
    with picture(path, figsize=(5.2, 2.3)) as axes:
        for y, each in enumerate(found.values()):
            assert each.null is not None
            assert each.interval is not None
            low, high = each.null.mean - 2 * each.null.sd, each.null.mean + 2 * each.null.sd
            axes.fill_betweenx([y - 0.3, y + 0.3], low, high, color="0.8", label=None if y else "null: mean ± 2 sd")
            axes.plot([each.interval.low, each.interval.high], [y, y], color=COLORS[0], linewidth=3)
            axes.plot(each.value, y, "o", color=COLORS[0], label=None if y else "value, 95 % interval")
            axes.text(each.value, y + 0.42, each.verdict.value, ha="center", va="center", fontsize=8)
        axes.set_yticks(range(len(found)), list(found))
        axes.set(xlim=(-0.3, 1.9), ylim=(1.75, -0.5))
        axes.set_xlabel("policy complexity in bits")
        axes.legend(frameon=False, loc="lower center", fontsize=8)
    yield path


def measured(name: str) -> agentic.Measurement:
    """Policy complexity of the example's planner, or of a random agent, over the same number of episodes."""
    given = ("tmaze",) if name == "planner" else ("random", WORLD)
    record = agentic.run(*given, episodes=EPISODES, out=None)
    found = agentic.measure("policy_complexity", record)
    assert isinstance(found, agentic.Measurement)
    return found
