"""The depth ladder: who looks d steps ahead waits for the larger reward as long as it comes within d steps."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agentic_metrics.finite.world import World, action_values
from agentic_metrics.purpose.ladder import DepthLadder
from figures.style import COLORS, picture

RUNGS = range(1, 9)
DEPTHS = range(1, 7)
BETA = 3.0  # inverse temperature of the choice


def waiting(depth: int, rung: int) -> float:
    """Probability that a soft planner of this depth waits on this rung."""
    values = action_values(World.of(DepthLadder(rung).true_model()), depth=depth)[0]
    return float(1 / (1 + np.exp(-BETA * (values[1] - values[0]))))


def draw(folder: Path) -> Iterator[Path]:
    """The probability of waiting against the delay, for planners of depth 1 to 6 and a random agent."""
    path = folder / "depth_ladder.svg"
    with picture(path) as axis:
        for depth, color in zip(DEPTHS, COLORS, strict=False):
            rungs = np.array(RUNGS) + 0.06 * (depth - 3.5)  # side by side where they would hide each other
            heights = [waiting(depth, rung) for rung in RUNGS]
            axis.step(rungs, heights, where="mid", color=color, label=f"depth {depth}")
        axis.axhline(0.5, color=COLORS[-1], linestyle=":", label="random")
        axis.set(xlabel="delay k of the larger reward", ylabel="probability of waiting", ylim=(0, 1), xticks=RUNGS)
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    yield path
