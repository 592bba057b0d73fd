"""How goal-directed the best policy is on the cliff: less with more noise, less where the goal is easier to hit."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentic_envs.cliffworld import CliffWorld
from agentic_metrics import GoalDirectedness, World
from agentic_metrics.finite.soft import hard_backups
from figures.style import COLORS, picture

SIZES = ((10, 10), (7, 8))  # columns and decisions
NOISES = np.linspace(0, 1, 41)
WIDTHS = range(1, 10)


def cliff(columns: int, width: int = 1) -> World:
    return World.of(CliffWorld(columns=columns, width=width).true_model())


def best_policy(world: World, horizon: int) -> NDArray[np.float64]:
    """What is best for the time that is left, ties broken evenly, (t, s, a)."""
    best = np.isfinite(list(hard_backups(world, world.rewards, horizon=horizon))[::-1])
    return np.asarray(best / best.sum(-1, keepdims=True))


def against_noise(columns: int, horizon: int) -> list[float]:
    """MEG in nats of the best policy mixed with a share of chance, for each of NOISES."""
    world = cliff(columns)
    best = best_policy(world, horizon)
    mixed = [(1 - noise) * best + noise / world.actions for noise in NOISES]
    return [GoalDirectedness(horizon=horizon).of_policy(policy, world).value for policy in mixed]


def against_width(columns: int, horizon: int) -> list[float]:
    """MEG in nats of the best policy where the goal is as many cells wide, for each of WIDTHS that leave a cliff."""
    worlds = [cliff(columns, width) for width in WIDTHS if width < columns]
    return [GoalDirectedness(horizon=horizon).of_policy(best_policy(world, horizon), world).value for world in worlds]


def draw(folder: Path) -> Iterator[Path]:
    """MEG against noise and against the width of the goal, for both sizes."""
    path = folder / "goal_directedness.svg"
    with picture(path, columns=2, sharey=True) as (left, right):
        for (columns, horizon), color, mark in zip(SIZES, COLORS, "os", strict=False):
            name = f"{columns} × 4, {horizon} decisions"
            left.plot(NOISES, against_noise(columns, horizon), color=color, marker=mark, markersize=3, label=name)
            nats = against_width(columns, horizon)
            right.plot(range(1, len(nats) + 1), nats, color=color, marker=mark, label=name)
            for axes in (left, right):
                axes.axhline(horizon * np.log(4), color=color, linestyle=":", linewidth=1)
        left.set(xlabel="ε, the share of random actions", ylabel="goal-directedness (nats)", ylim=(0, None))
        right.set(xlabel="width of the goal (cells), ε = 0")
        left.text(1, SIZES[0][1] * np.log(4), "most there can be", ha="right", va="bottom", color=COLORS[0])
        left.legend(frameon=False, loc="center right")
    yield path
