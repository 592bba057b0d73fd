"""Summaries of runs: the numbers that `agentic run --json` prints, from a record alone, finished or not."""

from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa

from agentic.metrics.measurement import finite
from agentic.metrics.returns import return_interval
from agentic.runs.record import Record
from agentic.runs.table import numpy_of

LONGEST = 1e15  # seconds of a run; what a manifest says beyond is no time


def summarize(record: Record) -> dict[str, Any]:
    """The numbers of a run as plain values for strict JSON; what is not finite or not known is None.

    `steps` were learned from, `evaluation_steps` were not. `return` is over the complete evaluation episodes; its
    `method` is that of the 95 % interval from `low` to `high`. `energy` holds the mean of each term over the evaluation
    steps, in nats. `problems` are those of the record.
    """
    names = [name for name in record.columns if name.startswith("energy.")]
    table = record.table(["phase", *names]) if record.columns else pa.table({})
    phase = np.array(table["phase"].to_pylist() if table.num_rows else [])
    evaluated = phase == "evaluate"
    terms = {name.removeprefix("energy."): _mean(numpy_of(table[name])[evaluated]) for name in names}
    returns = record.returns("evaluate")
    seconds, components = record.manifest.get("seconds"), record.manifest.get("components")
    mean, interval = return_interval(returns)
    return {
        "run": None if record.folder is None else str(record.folder),
        "steps": int((phase == "learn").sum()),
        "evaluation_steps": int(evaluated.sum()),
        "episodes": len(returns),
        "return": {
            "mean": finite(mean),
            "low": finite(interval.low),
            "high": finite(interval.high),
            "method": interval.method if isfinite(interval.low) else None,
            "values": [finite(value) for value in returns.tolist()],
        },
        "energy": {name: finite(value) for name, value in terms.items() if value is not None},
        "seconds": finite(seconds) if isinstance(seconds, int | float) and abs(seconds) < LONGEST else None,
        "components": [row for row in components if isinstance(row, dict)] if isinstance(components, list) else [],
        "problems": record.problems,
    }


def _mean(values: np.ndarray) -> float | None:
    """The mean over the steps that have this term."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else None
