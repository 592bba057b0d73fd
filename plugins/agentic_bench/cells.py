"""The cells of a bench: one for every agent, world and column, over seeds, each judged against its null."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isfinite, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from scipy.special import ndtri

from agentic import Measurement, Verdict
from agentic.errors import RunError
from agentic.metrics import Result, Row, finite, verdicts
from agentic.runs import is_own, sealed, unsealed, write_whole
from agentic.showing import html_table, pandas, text_table
from agentic_bench.bench_file import Battery
from agentic_bench.folder import BenchFolder
from agentic_bench.task import Task

if TYPE_CHECKING:
    from pandas import DataFrame

NOT_YET = "not measured yet"  # the note of a cell that a bench did not come to
WIDTH = float(ndtri(0.975))  # standard deviations on either side that hold 95 % of a normal null


@final
@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of the table: the mean over `seeds` with its 95 % interval, and where chance alone would lie.

    `null` is the mean of the null, `null_low` and `null_high` hold 95 % of it. What does not exist is None: a `value`
    that is not defined or does not apply (`note` says why), the interval of an exact value of one seed, the null of
    what has none. `verdict` is adjusted (Holm) for the columns of the same agent in the same world.
    """

    agent: str
    world: str
    metric: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    null: float | None = None
    unit: str = ""
    null_low: float | None = None
    null_high: float | None = None
    p_value: float | None = None
    verdict: Verdict = Verdict.UNDEFINED
    exact: bool = False
    seeds: int = 0
    note: str | None = None

    @classmethod
    def of(cls, agent: str, world: str, row: Row, verdict: Verdict, note: str | None = None) -> Self:
        """The cell of the measurements of one metric over seeds."""
        value, interval = row.estimate
        nulls = [each.null for each in row.found if each.null is not None]
        numbers: dict[str, float | None] = {"value": value, "p_value": row.p_value}
        if interval is not None:
            numbers |= {"low": interval.low, "high": interval.high}
        if len(nulls) == len(row.found):
            mean = float(np.mean([null.mean for null in nulls]))
            half = WIDTH * sqrt(float(np.mean([null.sd**2 for null in nulls])) / len(row.independent))
            numbers |= {"null": mean, "null_low": mean - half, "null_high": mean + half}
        plain: Any = {name: finite(each) for name, each in numbers.items()}
        judged: Any = {"verdict": verdict, "exact": row.exact, "seeds": len(row.found), "unit": row.unit, "note": note}
        return cls(agent=agent, world=world, metric=row.name, **plain, **judged)

    @property
    def begun(self) -> bool:
        """Whether the bench came to measure it, with a value or without."""
        return self.value is not None or self.note != NOT_YET

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        return asdict(self) | {"verdict": self.verdict.value}


@final
@dataclass(frozen=True, repr=False)
class Scores:
    """The scores of a bench as one table. `broken` are lines about what did not merely fail to apply but broke."""

    agents: tuple[str, ...]
    worlds: tuple[str, ...]
    metrics: tuple[str, ...]
    cells: tuple[Cell, ...]
    broken: tuple[str, ...] = ()
    folder: Path | None = field(default=None, compare=False)

    @classmethod
    def of(cls, battery: Battery, folder: Path) -> Self:
        """The scores of those tasks that are done."""
        groups: dict[tuple[str, str], list[Task]] = {}
        for task in battery.tasks():
            groups.setdefault((task.world, task.agent), []).append(task)
        cells, broken = list[Cell](), list[str]()
        for tasks in groups.values():
            results = [found for task in tasks if (found := Result.read(folder / task.folder))]
            cells += _cells(tasks, results)
            broken += [f"{tasks[0].world}, {tasks[0].agent}: {c}: {r.missing[c]}" for r in results for c in r.broken]
        units = {cell.metric: cell.unit for cell in cells if cell.unit}
        agents = tuple(dict.fromkeys(agent.title for agent in battery.agents))
        worlds = tuple(dict.fromkeys(cell.world for cell in cells))
        metrics = tuple(dict.fromkeys(column.label for world in worlds for column, _ in battery.columns(world)))
        complete = tuple(replace(cell, unit=cell.unit or units.get(cell.metric, "")) for cell in cells)
        return cls(agents, worlds, metrics, complete, tuple(dict.fromkeys(broken)), folder)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        names = {"agents": self.agents, "worlds": self.worlds, "metrics": self.metrics}
        return {**{key: list(each) for key, each in names.items()}, "cells": [cell.to_dict() for cell in self.cells]}

    def to_pandas(self) -> "DataFrame":
        """The cells as a pandas DataFrame, a line for each. Raises UserError without pandas."""
        return pandas().DataFrame([cell.to_dict() for cell in self.cells])

    def __repr__(self) -> str:
        said = [f"{world}:\n{text_table(lines)}" for world, lines in self._tables()]
        return "\n".join([*said, *(f"failed: {line}" for line in self.broken)])

    def _repr_html_(self) -> str:
        return "".join(html_table(lines[1:], world, lines[0]) for world, lines in self._tables())

    def _tables(self) -> Iterator[tuple[str, list[list[str]]]]:
        """For each world a line for each agent, a cell for each metric; in parentheses what is not told from chance."""
        for world in self.worlds:
            cells = {(cell.agent, cell.metric): cell for cell in self.cells if cell.world == world}
            agents, metrics = (list(dict.fromkeys(key[place] for key in cells)) for place in (0, 1))
            lines = [[agent, *(_words(cells.get((agent, metric))) for metric in metrics)] for agent in agents]
            yield world, [["agent", *metrics], *lines]

    def write(self, folder: Path) -> None:
        """Write the table into the folder of the bench. Raises RunError where that fails."""
        file = BenchFolder(folder).cells_file
        try:
            write_whole(file, json.dumps(sealed(self.to_dict()), indent=1, allow_nan=False) + "\n")
        except OSError as error:
            raise RunError(f"cannot write {file}: {error.strerror}") from error


def _words(cell: Cell | None) -> str:
    if cell is None or cell.value is None:
        return "-"
    interval = "" if cell.low is None or cell.high is None else f" [{cell.low:.4g}, {cell.high:.4g}]"
    return f"({cell.value:.4g}){interval}" if cell.verdict.inconclusive else f"{cell.value:.4g}{interval}"


def _cells(tasks: Sequence[Task], results: Sequence[Result]) -> Iterator[Cell]:
    """The cells of one agent in one world, judged together."""
    labels = dict.fromkeys(column.label for task in tasks for column in task.columns)
    found = {label: [r.measurements[label] for r in results if label in r.measurements] for label in labels}
    defined = {label: [each for each in every if isfinite(each.value)] for label, every in found.items()}
    rows = [Row(label, every) for label, every in defined.items() if every]
    judged = {row.name: (row, verdict) for row, verdict in zip(rows, verdicts(rows), strict=True)}
    agent, world = tasks[0].agent, tasks[0].world
    for label in labels:
        note = _note(found[label], len(defined[label]), [r.missing[label] for r in results if label in r.missing])
        if label in judged:
            yield Cell.of(agent, world, *judged[label], note)
        else:
            unit = found[label][0].unit if found[label] else ""
            yield Cell(agent=agent, world=world, metric=label, unit=unit, note=note)


def _note(found: Sequence[Measurement], defined: int, reasons: Sequence[str]) -> str | None:
    """Why there is no value, or not one on every seed; else what its metric warns of."""
    warnings = dict.fromkeys(warning for each in found for warning in each.warnings)
    said = "; ".join(dict.fromkeys([*reasons, *warnings])) or None
    if defined and (len(found) > defined or reasons):
        return f"defined on {defined} of {len(found) + len(reasons)} seeds" + (f": {said}" if said else "")
    return said if said or defined else f"its value is {found[0].value}" if found else NOT_YET


def read_cells(folder: Path) -> Mapping[str, Any]:
    """The table in the folder of a bench, as plain values. Raises RunError where there is none, or a damaged one."""
    file = BenchFolder(folder).cells_file
    try:
        if file.exists() and not is_own(file):
            raise ValueError("it is no file of this folder")
        found = unsealed(dict(json.loads(file.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise RunError(f"{file} cannot be read: {error}") from error
    if found is None:
        raise RunError(f"{file} is damaged: its checksum is not that of what it says")
    return found
