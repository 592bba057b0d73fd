"""Empowerment of every cell of a 50 x 50 grid: ours against the map without merging and against dit.

A move succeeds nine times in ten. In the open grid most cells see the same around them; with obstacles on a tenth of
the cells none do. The unmerged map has a row for every sequence of actions and the same solver as ours; dit gets the
same channels, ready made. Both are timed on a sample of the cells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic_metrics import CROSS, Empowerment, lattice
from agentic_metrics.channels.arimoto import solve
from benchmarks.sample import Sample, seconds, side_by_side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIDE, SUCCESS, TOLERANCE = 50, 0.9, 1e-6
HORIZONS = {"open": 6, "obstacles": 4}
CELLS = {1: 64, 2: 32, 3: 16, 4: 8, 5: 4, 6: 2}  # of the sample, by horizon
REPEATS = 3


@final
@dataclass(frozen=True)
class Map:
    """States per second at one horizon; `dit` is None where it is not installed. `apart`: bits between the values."""

    world: str
    horizon: int
    ours: Sample
    unmerged: Sample
    dit: Sample | None
    apart: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        rates = {"ours": self.ours, "unmerged": self.unmerged} | ({"dit": self.dit} if self.dit else {})
        return {
            "world": self.world,
            "horizon": self.horizon,
            "states_per_second": {name: rate.plain() for name, rate in rates.items()},
            "bits_apart": self.apart,
        }


def measure(quick: bool, repeats: int) -> list[Map]:
    """Every horizon of both worlds; two of each if quick."""
    found = []
    for world, longest in HORIZONS.items():
        dynamics = _grid(obstacles=world == "obstacles")
        for horizon in range(1, (2 if quick else longest) + 1):
            found.append(_measure(world, dynamics, horizon, 1 if quick else min(repeats, REPEATS)))
    return found


def _measure(world: str, dynamics: Floats, horizon: int, repeats: int) -> Map:
    cells = np.random.default_rng(horizon).choice(SIDE**2, CELLS[horizon], replace=False)
    ready = [_listed(dynamics, int(cell), horizon) for cell in cells]
    peer, ours = _dit(), Empowerment(horizon=horizon, tolerance=TOLERANCE)
    tasks: dict[str, Callable[[], float]] = {
        "ours": lambda: SIDE**2 / seconds(lambda: ours.map(dynamics)),
        "unmerged": lambda: len(cells) / seconds(_unmerged, dynamics, cells, horizon),
    }
    if peer:
        tasks["dit"] = lambda: len(cells) / seconds(lambda: [peer(channel) for channel in ready])
    rates = side_by_side(tasks, repeats)
    found = ours.map(dynamics, states=cells).value
    apart = float(np.abs(found - _unmerged(dynamics, cells, horizon)).max())
    return Map(world, horizon, rates["ours"], rates["unmerged"], rates.get("dit"), apart)


def _grid(obstacles: bool) -> Floats:
    """Dynamics (s, a, s'); a move onto an obstacle stays where it is."""
    dynamics = lattice(SIDE, SIDE, success=SUCCESS)
    if obstacles:
        blocked, at = np.flatnonzero(np.random.default_rng(0).random(SIDE**2) < 0.1), np.arange(SIDE**2)
        lost = dynamics[:, :, blocked].sum(-1)
        dynamics[:, :, blocked] = 0
        dynamics[at, :, at] += lost
    return dynamics


def _unmerged(dynamics: Floats, cells: Ints, horizon: int) -> Sequence[float]:
    channels = [_listed(dynamics, int(cell), horizon) for cell in cells]
    return [found.value for found in solve(channels, tolerance=TOLERANCE)]


def _listed(dynamics: Floats, cell: int, horizon: int) -> Floats:
    """The channel of a cell with a row for each of the 5^n sequences, over the cells within reach."""
    row, column = divmod(cell, SIDE)
    near = [
        (row + r, column + c) for r, c in product(range(-horizon, horizon + 1), repeat=2) if abs(r) + abs(c) <= horizon
    ]
    places = np.array([r * SIDE + c for r, c in near if 0 <= r < SIDE and 0 <= c < SIDE])
    local = dynamics[np.ix_(places, range(len(CROSS)), places)]
    rows = (places == cell)[None].astype(np.float64)
    for _ in range(horizon):
        rows = (rows @ local.reshape(len(places), -1)).reshape(-1, len(places))
    return rows[:, rows.any(0)]


def _dit() -> Callable[[Floats], float] | None:
    try:
        from dit.algorithms import channel_capacity
    except ImportError:
        return None

    def capacity(channel: Floats) -> float:
        with np.errstate(all="ignore"):
            return float(channel_capacity(channel, rtol=TOLERANCE, atol=TOLERANCE)[0])

    return capacity
