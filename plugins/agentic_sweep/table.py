"""The table of a sweep: a line for each run, and one for each choice of values over its seeds."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from agentic.errors import RunError
from agentic.metrics import finite, mean_interval
from agentic.runs import write_whole
from agentic.showing import html_table, pandas, text_table
from agentic_sweep.tables import label_of
from agentic_sweep.unit import SweptRun, outcome

if TYPE_CHECKING:
    from pandas import DataFrame

RUNS, TABLE = "runs.csv", "table.csv"


@final
@dataclass(frozen=True, repr=False)
class Swept:
    """The runs of a sweep, a row each: values by setting, seed, how it ended and its return."""

    settings: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    folder: Path | None = field(default=None, compare=False)

    @property
    def failed(self) -> list[Mapping[str, Any]]:
        """The rows of the runs that failed."""
        return [row for row in self.rows if row["status"] == "failed"]

    @property
    def broken(self) -> list[str]:
        """A line for each reason why runs failed, with the first of them and how many more."""
        runs: dict[str, list[str]] = {}
        for row in self.failed:
            runs.setdefault(row["why"], []).append(row["run"])
        return [f"{first}{f' and {len(more)} more' * bool(more)}: {why}" for why, (first, *more) in runs.items()]

    @property
    def best(self) -> str:
        """The choice with the largest mean return, among several without a failed run."""
        known = [each for each in self.choices if each["return"] is not None and not each["failed"]]
        found = max(known, key=lambda each: each["return"], default={})
        return label_of({name: found[name] for name in self.settings}) if len(known) > 1 and found else ""

    @property
    def notes(self) -> list[str]:
        """What should be known of the table."""
        flat = [each for each in self.choices if each["seeds"] > 1 and each["least"] == each["largest"]]
        said = "on all seeds the same return: there is no spread to judge by, and no interval"
        return [f"{len(flat)} of {len(self.choices)} choices have {said}"] if flat else []

    @property
    def choices(self) -> list[dict[str, Any]]:
        """A row for each choice of values: the mean over seeds of the mean return, and Student's interval."""
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for row in self.rows:
            groups.setdefault(repr([row[name] for name in self.settings]), []).append(row)
        return [self._choice(rows) for rows in groups.values()]

    def _choice(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        returns = [row["return"] for row in rows if row["return"] is not None]
        mean, interval = mean_interval(returns)
        spread = len({*returns}) > 1  # without any there is nothing to judge by
        low, high = (finite(interval.low), finite(interval.high)) if spread else (None, None)
        counts = {"seeds": len(returns), "failed": sum(row["status"] == "failed" for row in rows), "of": len(rows)}
        ends = {"least": min(returns, default=None), "largest": max(returns, default=None)}
        values = {name: rows[0][name] for name in self.settings}
        return {**values, "return": finite(mean), "low": low, "high": high, **ends, **counts}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        return {"settings": [*self.settings], "choices": self.choices, "runs": [dict(row) for row in self.rows]}

    def to_pandas(self) -> "DataFrame":
        """The runs as a pandas DataFrame, a line for each. Raises UserError without pandas."""
        return pandas().DataFrame([dict(row) for row in self.rows])

    def lines(self) -> list[list[str]]:
        """The choices as lines of text, the first of them names."""
        choices = self.choices
        head = [*self.settings, "return", "95 % interval", "least", "largest", "seeds"]
        return [head, *([_text(each[name]) for name in self.settings] + _numbers(each) for each in choices)]

    def __repr__(self) -> str:
        return "\n".join([text_table(self.lines()), *self.notes, *(f"failed: {line}" for line in self.broken)])

    def _repr_html_(self) -> str:
        head, *lines = self.lines()
        return html_table(lines, "sweep", head)

    def write(self, folder: Path) -> None:
        """Write both tables into the folder of the sweep. Raises RunError where that fails."""
        for name, rows in ((RUNS, self.rows), (TABLE, self.choices)):
            try:
                write_whole(folder / name, _csv(rows))
            except OSError as error:
                raise RunError(f"cannot write {folder / name}: {error.strerror}") from error


def row(unit: SweptRun, folder: Path, *, waits: bool = False) -> dict[str, Any]:
    """What became of a run in the folder of its sweep; nothing yet where it `waits`."""
    found = {} if waits else outcome(folder / unit.place)
    why = found.get("failed")
    return {
        "run": unit.label,
        **unit.values,
        "seed": unit.seed,
        "status": "failed" if why else "finished" if found else "not yet",
        "return": found.get("return"),
        "episodes": found.get("episodes"),
        "steps": found.get("steps"),
        "why": why or "",
        "folder": str(unit.place),
    }


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _numbers(choice: Mapping[str, Any]) -> list[str]:
    value, low, high = (choice[name] for name in ("return", "low", "high"))
    ends = ["-" if choice[name] is None else f"{choice[name]:.4g}" for name in ("least", "largest")]
    around = "-" if low is None or high is None else f"[{low:.4g}, {high:.4g}]"
    seeds = f"{choice['seeds']} of {choice['of']}" if choice["seeds"] < choice["of"] else f"{choice['of']}"
    return ["-" if value is None else f"{value:.4g}", around, *ends, seeds]
