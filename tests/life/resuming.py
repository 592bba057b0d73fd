"""Runs that are stopped, resumed and compared, bit for bit."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import agentic
from agentic import Experiment, Record
from agentic.experiments.build import build
from agentic.plugins import load

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str) -> dict[str, Any]:
    return tomllib.loads((EXAMPLES / f"{name}.toml").read_text())


def lived(tables: Mapping[str, Any], settings: list[str], folder: Path, *, ticks: int = 0) -> Record | None:
    """The record of a run in a folder; None of one that Ctrl-C stops after so many ticks."""
    count = 0

    def stop(progress: Any) -> None:
        nonlocal count
        count += 1
        if count == ticks:
            raise KeyboardInterrupt

    experiment = Experiment.of(tables, ["run.checkpoint_minutes=0", *settings])
    try:
        return build(experiment, load()).run(folder, stop)
    except KeyboardInterrupt:
        return None


def stopped_and_resumed(tables: Mapping[str, Any], settings: list[str], place: Path, ticks: int) -> None:
    """A run that stops after so many ticks and goes on from its last checkpoint ends as one that never stopped."""
    full = lived(tables, settings, place / "full")
    assert full is not None
    assert lived(tables, [*settings, f"run.checkpoint_steps={max(1, ticks // 3)}"], place / "cut", ticks=ticks) is None
    assert list((place / "cut").glob("checkpoint-*"))
    same(full, agentic.resume(place / "cut", trust=True))


def same(one: Record, other: Record) -> None:
    """The same bits in every column, and in every chunk."""
    assert not other.problems
    first, second = one.table(), other.table()
    assert first.column_names == second.column_names
    for name in first.column_names:
        for a, b in zip(first[name].to_pylist(), second[name].to_pylist(), strict=True):
            assert a == b or np.asarray(a).tobytes() == np.asarray(b).tobytes(), name
    assert chunks(one.folder) == chunks(other.folder)


def chunks(folder: Any) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).glob("*.parquet")}
