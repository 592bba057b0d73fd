"""Curves of a run, read from its ticks and thinned to what a page can show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa

from agentic import Record
from agentic.errors import UserError
from agentic.runs import Phase, RunFolder
from agentic_report.reading import mapping

POINTS = 300  # of one learning curve
STEPS = 200  # of the first evaluation episode
KEYS = ("phase", "episode", "row", "t", "reward", "terminated", "truncated")


@final
@dataclass(frozen=True, eq=False)
class Series:
    """What was seen along a phase of `steps`: `values` (n,) at `places` (n,), counted in steps and ascending."""

    steps: int
    places: np.ndarray
    values: np.ndarray

    def smoothed(self, grid: np.ndarray, window: int) -> np.ndarray:
        """At each step of the grid the mean of what was seen in the last `window` steps.

        Where nothing was, what was seen last; NaN before the first and after the last step.
        """
        upper = np.searchsorted(self.places, grid, "right")
        lower = np.searchsorted(self.places, grid - window, "right")
        found = np.full(len(grid), np.nan)
        with np.errstate(all="ignore"):  # of what is infinite
            some, last = upper > lower, (upper == lower) & (upper > 0)
            for place in np.flatnonzero(some):  # each by itself: what is infinite or huge is in its own windows alone
                found[place] = self.values[lower[place] : upper[place]].mean()
        found[last] = self.values[upper[last] - 1]
        return np.where(grid <= self.steps, found, np.nan)

    @property
    def mean(self) -> float:
        """The mean of all; NaN of nothing."""
        with np.errstate(all="ignore"):
            return float(self.values.mean()) if len(self.values) else float("nan")


@final
@dataclass(frozen=True, eq=False)
class Curves:
    """`learned`: steps of experience and the return of the episode that ended there, thinned; `series` has them all.

    `warmup` is how many of the steps were taken at random. `energies` are in nats, by `steps`.
    """

    learned: tuple[Sequence[float], Sequence[float]] = ((), ())
    series: Series | None = None
    warmup: int = 0
    steps: Sequence[int] = ()
    energies: Mapping[str, Sequence[float | None]] = field(default_factory=dict)


def curves(folder: Path) -> Curves:
    """The curves of a run; empty ones where its record has none or cannot be read."""
    try:
        record = Record.salvage(folder)
        if not {*KEYS} <= {*record.columns}:
            return Curves()
        table = record.table([*KEYS, *(name for name in record.columns if name.startswith("energy."))])
        if not len(table):
            return Curves()
        learned = ended_episodes(table, "learn")
        warmup = mapping(RunFolder(folder).experiment.get("learn")).get("warmup")
        whole = warmup if type(warmup) is int and warmup > 0 else 0
        return Curves(_learned(*learned), _series(table, *learned), whole, *_energies(table))
    except (UserError, pa.ArrowException):
        return Curves()


def _series(table: pa.Table, ends: np.ndarray, returns: np.ndarray) -> Series | None:
    steps = int(np.asarray(pa.compute.equal(table["phase"], "learn")).sum())
    return Series(steps, ends + 1, returns) if len(ends) else None


def _learned(ends: np.ndarray, returns: np.ndarray) -> tuple[Sequence[float], Sequence[float]]:
    """Means over blocks of episodes where there are more than can be shown."""
    blocks = np.array_split(np.arange(len(ends)), min(POINTS, len(ends)) or 1)
    if not len(ends):
        return (), ()
    return [int(ends[block[-1]]) + 1 for block in blocks], [_short(float(returns[block].mean())) for block in blocks]


def ended_episodes(table: pa.Table, phase: Phase) -> tuple[np.ndarray, np.ndarray]:
    """The places (n,) within a phase of the ticks that end an episode, and the returns (n,) of those episodes."""
    ticks = table.select(KEYS).filter(pa.compute.equal(table["phase"], phase))
    if not len(ticks):
        return np.empty(0, np.int64), np.empty(0)
    reward = np.asarray(ticks["reward"], np.float64)
    ended = np.asarray(ticks["terminated"]) | np.asarray(ticks["truncated"])
    episode, row = np.asarray(ticks["episode"]), np.asarray(ticks["row"])
    keys, places = np.unique(np.stack([row, episode]), axis=1, return_inverse=True)
    totals = np.bincount(places.reshape(-1), reward, minlength=keys.shape[1])
    ends = np.flatnonzero(ended)
    return ends, totals[places.reshape(-1)[ends]]


def _energies(table: pa.Table) -> tuple[Sequence[int], Mapping[str, Sequence[float | None]]]:
    names = [name for name in table.column_names if name.startswith("energy.")]
    evaluated = pa.compute.equal(table["phase"], "evaluate")
    first = pa.compute.and_(pa.compute.equal(table["row"], 0), pa.compute.equal(table["episode"], 0))
    episode = table.select(["t", *names]).filter(pa.compute.and_(evaluated, first)).slice(0, STEPS)
    columns = {name.removeprefix("energy."): np.asarray(episode[name], np.float64) for name in names}
    known = {name: values for name, values in columns.items() if np.isfinite(values).any()}
    return (
        [int(t) for t in episode["t"].to_pylist()],
        {name: [_short(float(v)) if np.isfinite(v) else None for v in values] for name, values in known.items()},
    )


def _short(value: float) -> float:
    """Five significant digits are more than a screen has pixels."""
    return float(f"{value:.5g}")
