"""Folders of runs as they are recorded, written by hand: whatever returns a test needs, without an agent."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from agentic.experiments.toml import toml_text
from agentic.runs import sealed

LENGTH = 5  # steps of each episode


def made_run(
    path: Path,
    evaluated: Sequence[float] = (),
    learned: Sequence[float] = (),
    *,
    seed: int | None = 0,
    env: str = "CartPole-v1",
    agent: Mapping[str, Any] | None = None,
    column: Sequence[float] | None = None,
    **manifest: Any,
) -> Path:
    """A run that finished, whose episodes have these returns; `column` are the values of `energy.surprise` in learning.

    Without a seed nothing says which it was.

    `agent` holds tables of the experiment beside [run] and [env].
    """
    path.mkdir(parents=True)
    tables = {
        "run": {} if seed is None else {"seed": seed},
        "env": {"id": env},
        **({"agent": {"name": "energy"}} | dict(agent or {})),
    }
    (path / "experiment.toml").write_text(toml_text(tables), encoding="utf-8")
    ticks = [_episode("learn", place, total) for place, total in enumerate(learned)]
    ticks += [_episode("evaluate", place, total) for place, total in enumerate(evaluated)]
    rows = [row for each in ticks for row in each]
    steps = LENGTH * len(learned)
    if column is not None:
        values = [*column, *[0.0] * (len(rows) - steps)]
        rows = [{**row, "energy.surprise": value} for row, value in zip(rows, values, strict=True)]
    if rows:
        pq.write_table(pa.Table.from_pylist(rows), path / "ticks-000000.parquet")
    name = tables["agent"]["name"]
    content = {"status": "finished", "started": 1.8e9 + (seed or 0), "seed": seed, "returns": [*evaluated]}
    content |= {"components": [{"kind": "envs", "name": env}, {"kind": "agents", "name": name}]}
    content |= {"steps": steps, "evaluation_steps": LENGTH * len(evaluated), **manifest}
    kept = {name: value for name, value in content.items() if value is not None}
    (path / "manifest.json").write_text(json.dumps(sealed(kept)), encoding="utf-8")
    return path


def _episode(phase: str, place: int, total: float) -> list[dict[str, Any]]:
    """The ticks of an episode that is paid at its end."""
    ends = [False] * (LENGTH - 1) + [True]
    return [
        {
            "phase": phase,
            "row": 0,
            "episode": place,
            "t": t,
            "reward": total * end,
            "terminated": end,
            "truncated": False,
        }
        for t, end in enumerate(ends)
    ]
