"""Empowerment, drawn: maps of four small worlds, and a pendulum whose best place depends on where the noise is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from agentic import make
from agentic_metrics import Empowerment, World, gaussian_empowerment, klyubin_maze
from agentic_metrics.channels.mazes import KLYUBIN, fences
from figures.style import COLORS, picture

Floats = NDArray[np.float64]
Fences = list[tuple[tuple[int, int], tuple[int, int]]]

GRAVITY, STEP, NOISE = 9.81, 0.05, 0.01  # of the pendulum: g/l in 1/s^2, seconds, variance
PASSENGER, GOAL = 0, 1  # of the taxi: who waits at the red stand and wants to go to the green one


def draw(folder: Path) -> Iterator[Path]:
    """The maps and the pendulum, each in its own file."""
    yield _lake(folder / "empowerment_lake.svg")
    yield _cliff(folder / "empowerment_cliff.svg")
    yield _taxi(folder / "empowerment_taxi.svg")
    yield _maze(folder / "empowerment_maze.svg")
    yield _pendulum(folder / "empowerment_pendulum.svg")


def pendulum(angle: float, horizon: int, noise: float, process_noise: float) -> float:
    """Bits of a pendulum linearized at an angle from upright: pulled away from it, or back, by g/l cos(angle)."""
    dynamics = [[1.0, STEP], [STEP * GRAVITY * np.cos(angle), 1.0]]
    return float(gaussian_empowerment(dynamics, [0.0, STEP], horizon, noise=noise, process_noise=process_noise))


def _world(id: str, **options: Any) -> World:
    env = gymnasium.make(id, **options)
    try:
        return World.of(make(env).truth())
    finally:
        env.close()


def _lake(path: Path) -> Path:
    with picture(path, 3, 2) as axes:
        for row, slippery in zip(axes, (True, False), strict=True):
            world = _world("FrozenLake-v1", is_slippery=slippery)
            for axis, n in zip(row, (1, 2, 3), strict=True):
                value = np.where(world.ended, np.nan, Empowerment(horizon=n).map(world.dynamics).value)
                _map(axis, value.reshape(4, 4), f"{'slippery' if slippery else 'without ice'}, {_steps(n)}")
    return path


def _cliff(path: Path) -> Path:
    world = _world("CliffWalking-v1")
    with picture(path, 1, 3, figsize=(6.5, 7)) as axes:
        for axis, n in zip(axes, (1, 2, 3), strict=True):
            value = np.where(world.ended, np.nan, Empowerment(horizon=n).map(world.dynamics).value)
            value[37:47] = np.nan  # the cliff: whoever steps there stands at the start
            _map(axis, value.reshape(4, 12), f"CliffWalking, {_steps(n)}")
    return path


def _taxi(path: Path) -> Path:
    world, places = _world("Taxi-v4"), (np.arange(25) * 5 + PASSENGER) * 4 + GOAL
    walls: Fences = [((r, c), (r, c + 1)) for r, c in ((0, 1), (1, 1), (3, 0), (4, 0), (3, 2), (4, 2))]
    with picture(path, 3) as axes:
        for axis, n in zip(axes, (1, 2, 3), strict=True):
            value = Empowerment(horizon=n).map(world.dynamics, states=places).value
            _map(axis, value.reshape(5, 5), f"Taxi, passenger waiting top left, {_steps(n)}", walls)
    return path


def _maze(path: Path) -> Path:
    with picture(path, 2, 2, figsize=(10, 9.4)) as axes:
        for axis, n in zip(axes.flat, (1, 3, 5, 10), strict=True):
            value = Empowerment(horizon=n).map(klyubin_maze()).value.reshape(10, 10)
            _map(axis, value, f"Klyubin's maze, {_steps(n)}", fences(KLYUBIN), digits=1)
    return path


def _pendulum(path: Path) -> Path:
    angles = np.linspace(-np.pi, np.pi, 181)
    frames = (("noise at the readout only", NOISE, 0.0), ("the same noise at every step", 0.0, NOISE))
    with picture(path, 2) as axes:
        for axis, (title, noise, process_noise) in zip(axes, frames, strict=True):
            for horizon, color in zip((5, 10, 20), COLORS, strict=False):
                bits = [pendulum(angle, horizon, noise, process_noise) for angle in angles]
                axis.plot(np.degrees(angles), bits, color=color, label=_steps(horizon))
            axis.set(title=title, ylabel="empowerment, bits", ylim=(0, None))
            axis.set_xticks([-180, -90, 0, 90, 180], ["hanging", "sideways", "upright", "sideways", "hanging"])
            axis.legend(frameon=False)
    return path


def _map(axis: Any, value: Floats, title: str, walls: Fences | None = None, digits: int = 2) -> None:
    """A cell for each state, colored and marked with its bits; states without an agent are left white."""
    axis.imshow(value, cmap="cividis")
    middle = (np.nanmin(value) + np.nanmax(value)) / 2
    for (row, column), bits in np.ndenumerate(value):
        color = "black" if bits >= middle else "white"
        if np.isfinite(bits):
            axis.text(column, row, f"{bits:.{digits}f}", ha="center", va="center", color=color, fontsize=8)
    for (row, column), (below, right) in walls or ():
        x, y = (column + right) / 2, (row + below) / 2
        ends = ([x - 0.5, x + 0.5], [y, y]) if below > row else ([x, x], [y - 0.5, y + 0.5])
        axis.plot(*ends, color="#d55e00", linewidth=2.5)
    axis.set(title=title, xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
