"""The profile table as the template prints it: a heading, rows of cells, and each cell's details in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import isinf
from typing import Any, final

from agentic import Verdict
from agentic_bench import Cell
from agentic_report.bench_folder import Bench, Column
from agentic_report.reading import mapping, real
from agentic_report.wording import DASH, TINY, chance, number, span

TAGS = {
    Verdict.INSIDE: "in null",
    Verdict.TOO_LITTLE_DATA: "little data",
    Verdict.TOO_FEW_SURROGATES: "few surrogates",
}
LOOKS = {Verdict.INSIDE: "inside", Verdict.OUTSIDE: "outside"}
GROUPS = {
    "records": "from records",
    "internals": "from inside the agent",
    "model": "from the world's model",
    "intervene": "from a changed world",
    "": "from what is not known",
}


@final
@dataclass(frozen=True)
class Shown:
    """One printed cell: its value, the line below it, a tag of words, a CSS class, and all details as one sentence."""

    value: str
    below: str
    tag: str
    look: str
    details: str


@final
@dataclass(frozen=True)
class Grid:
    """One world's table; `groups` are the spans of columns that look at the same things.

    `said` has for each column what it is in words, and `goals` that of those which differ from another in the goal.
    """

    world: str
    groups: Sequence[tuple[str, int]]
    columns: Sequence[Column]
    said: Sequence[str]
    goals: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Shown]]]


def grid(bench: Bench, world: str, summaries: Mapping[str, str]) -> Grid:
    """The table of a world; `summaries` say in a sentence what the metric of each name is."""
    columns = bench.columns_in(world)
    groups = [(GROUPS[access], len([*each])) for access, each in groupby(columns, lambda column: column.access)]
    rows = [
        (agent, [_cell(bench, world, agent, column.label) for column in columns]) for agent in bench.agents_in(world)
    ]
    goals = {column.label: _goal(bench, world, column.label) for column in columns}
    said = [explained(column, summaries.get(column.name, ""), goals[column.label]) for column in columns]
    parted = [{goals[other.label] for other in columns if other.name == column.name} for column in columns]
    apart = [goals[column.label] if len(each) > 1 else "" for column, each in zip(columns, parted, strict=True)]
    return Grid(world, groups, columns, said, apart, rows)


def explained(column: Column, summary: str, goal: str) -> str:
    """What a column is, in words."""
    said = [
        f"{column.label}, {column.unit}" if column.unit else column.label,
        f"{summary.rstrip('.')}" if summary else "",
        f"measured {GROUPS[column.access]}" + (f" ({column.under})" if column.under else ""),
        f"goal: {goal}" if goal else "",
    ]
    return "; ".join(part for part in said if part)


def _goal(bench: Bench, world: str, label: str) -> str:
    """The goal of a measure in a world, as the first agent's frame has it."""
    frames = (mapping(bench.sample(world, agent, label).get("frame")) for agent in bench.agents)
    return next((str(frame["goal"]) for frame in frames if frame.get("goal")), "")


def shown(cell: Cell, sample: Mapping[str, Any]) -> Shown:
    """A cell as it is printed; `sample` is the first seed's measurement."""
    title = f"{cell.agent}, {cell.metric}"
    endless = real(sample.get("value"))  # a cell holds no infinite number
    if cell.value is None and not cell.note and endless is not None and isinf(endless):
        cell = replace(cell, value=endless)
    if cell.value is None:
        reason = cell.note or Verdict.UNDEFINED.value
        return Shown(DASH, "", "", "missing", f"{title}: {reason}")
    tag = "below null" if _below(cell) else TAGS.get(cell.verdict, "")
    below = " · ".join(part for part in ("exact", tag) if part) if cell.exact else span(cell.low, cell.high)
    look = LOOKS.get(cell.verdict, "")
    return Shown(number(cell.value), below, "" if cell.exact else tag, look, _details(cell, sample))


def _cell(bench: Bench, world: str, agent: str, label: str) -> Shown:
    found = bench.cells.get((world, agent, label))
    if found is None:
        return Shown(DASH, "", "", "missing", f"{agent}, {label}: not measured")
    return shown(found, bench.sample(world, agent, label))


def _below(cell: Cell) -> bool:
    """Whether a value lies where chance seldom does, but below: its test asks only whether it is above."""
    low, value = cell.null_low, cell.value
    return cell.verdict is Verdict.INSIDE and None not in (low, value) and (value or 0.0) < (low or 0.0) - TINY


def _judged(cell: Cell) -> str:
    """The verdict; of a value that is not above its null also that nothing else was asked."""
    if cell.verdict is not Verdict.INSIDE:
        return str(cell.verdict.value)
    where = "it lies below, and " if _below(cell) else ""
    return f"{cell.verdict.value} ({where}the test is one-sided: only values above the null are told from it)"


def _details(cell: Cell, sample: Mapping[str, Any]) -> str:
    """Everything that is known of a value, in words."""
    interval = span(cell.low, cell.high)
    method = str(mapping(sample.get("interval")).get("method") or "")
    if cell.seeds > 1 and interval:
        method = f"over {cell.seeds} seeds"
    null = mapping(sample.get("null"))
    surrogates = real(null.get("n")) or 0
    said = [
        f"{cell.agent}, {cell.metric}: {number(cell.value)} {cell.unit}".rstrip() + (", exact" if cell.exact else ""),
        f"interval {interval}" + (f" ({method})" if method else "") if interval else "",
        f"null {number(cell.null)} {span(cell.null_low, cell.null_high)}".rstrip() if cell.null is not None else "",
        f"{null['kind']}" + (f", {surrogates:.0f} surrogates" if surrogates > 1 else "") if null.get("kind") else "",
        chance(cell.p_value),
        _judged(cell),
        f"{cell.seeds} seeds" if cell.seeds > 1 else "",
        f"estimator: {sample['estimator']}" if sample.get("estimator") else "",
        cell.note,
    ]
    return "; ".join(part for part in said if part)
