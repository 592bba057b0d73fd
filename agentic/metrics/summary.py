"""What a run amounts to: the numbers that `agentic run --json` prints, from a record alone, finished or not."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan, sqrt
from typing import Any

import numpy as np

from agentic.metrics.measurement import Interval
from agentic.runs.record import Record


def mean_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> tuple[float, Interval]:
    """The mean of independent `values` and its interval, mean ± t(level, n - 1) sd / sqrt(n).

    All is NaN without values; the bounds are NaN for a single one.
    """
    sample = np.asarray(values, np.float64)
    n = len(sample)
    mean = float(sample.mean()) if n else nan
    error = float(sample.std(ddof=1)) / sqrt(n) if n > 1 else nan
    return mean, Interval.student(mean, error, n - 1, level=level, method="Student t over episodes")


def summarize(record: Record) -> dict[str, Any]:
    """The numbers of a run as plain values for strict JSON; what is not finite or not known is None.

    `steps` were learned from, `evaluation_steps` were not. `return` is over the complete evaluation episodes;
    `energy` holds the mean of each term over the evaluation steps, in nats.
    """
    table = record.table()
    phase = np.array(table["phase"].to_pylist() if table.num_rows else [])
    evaluated = phase == "evaluate"
    names = [name for name in table.column_names if name.startswith("energy.")]
    terms = {name.removeprefix("energy."): _mean(table[name].to_numpy()[evaluated]) for name in names}
    returns = record.returns("evaluate")
    mean, interval = mean_interval(returns)
    return {
        "run": None if record.folder is None else str(record.folder),
        "steps": int((phase == "learn").sum()),
        "evaluation_steps": int(evaluated.sum()),
        "episodes": len(returns),
        "return": _plain({"mean": mean, "low": interval.low, "high": interval.high, "values": returns.tolist()}),
        "energy": _plain({name: value for name, value in terms.items() if value is not None}),
        "seconds": record.manifest.get("seconds"),
        "components": list(record.manifest.get("components", [])),
    }


def _mean(values: np.ndarray) -> float | None:
    """The mean over the steps that have this term."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else None


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and not isfinite(value) else value for key, value in values.items()}
