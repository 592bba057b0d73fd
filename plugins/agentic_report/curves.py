"""Curves of a run, read from its ticks and thinned to what a page can show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa

from agentic import Record
from agentic.errors import UserError
from agentic.runs import Phase

POINTS = 300  # of one learning curve
STEPS = 200  # of the first evaluation episode
KEYS = ("phase", "episode", "row", "t", "reward", "terminated", "truncated")


@final
@dataclass(frozen=True)
class Curves:
    """`learned`: steps of experience and the return of the episode that ended there; `energies` in nats by `steps`."""

    learned: tuple[Sequence[float], Sequence[float]] = ((), ())
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
        return Curves(_learned(table), *_energies(table))
    except (UserError, pa.ArrowException):
        return Curves()


def _learned(table: pa.Table) -> tuple[Sequence[float], Sequence[float]]:
    """Means over blocks of episodes where there are more than can be shown."""
    ends, returns = ended_episodes(table, "learn")
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
