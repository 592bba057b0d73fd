"""Charts as plain data for plotly.js, with colors by name: the page fills in those of its light or dark theme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import isfinite
from typing import Any, final

from agentic_bench import Cell
from agentic_report.bench_folder import Bench, Column
from agentic_report.curves import Curves
from agentic_report.grid import GROUPS
from agentic_report.wording import number, span

COLORS = tuple(f"--c{i}" for i in range(1, 8))
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "pentagon")
DASHES = ("solid", "dash", "dot", "dashdot")
ROW = 38  # pixels
LONG = 18  # characters of a label that is broken
AXIS = {"gridcolor": "--line", "zerolinecolor": "--line", "linecolor": "--line", "automargin": True}
STILL = {"zeroline": False, "fixedrange": True}
SOFT = 0.18  # opacity of a band
POINTS = 30  # steps up to which each has a mark of its own
TICKS = 12  # steps up to which each is numbered: no halves of steps
PARTS = ("free_energy", "accuracy", "complexity")  # of perception; all other energies are of action


@final
@dataclass(frozen=True)
class View:
    """One drawing: its label in a list of several, its description for who cannot see it, traces and layout."""

    label: str
    described: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]


@final
@dataclass(frozen=True)
class Chart:
    """A place on the page where one of several views is drawn."""

    title: str
    views: Sequence[View]

    @property
    def content(self) -> list[dict[str, Any]]:
        return [vars(view) for view in self.views]


def style(index: int, count: int) -> dict[str, Any]:
    """Color, line and marker of agent number `index` of `count`, no two alike among the first 28.

    Later ones are drawn above and are thinner and smaller, so that one that lies on another hides nothing.
    """
    color, turn = COLORS[index % len(COLORS)], index // len(COLORS)
    rest = 1 - index / max(count - 1, 1)
    return {
        "line": {"color": color, "dash": DASHES[turn % len(DASHES)], "width": 1.5 + 2.5 * rest},
        "marker": {"color": color, "symbol": SYMBOLS[(index + turn) % len(SYMBOLS)], "size": 7 + 8 * rest},
    }


def profile(bench: Bench, world: str) -> Chart | None:
    """Every agent's values in a world, one line of the chart per metric, each scaled to its own range."""
    columns, agents = bench.columns_in(world), bench.agents_in(world)
    values = {column.label: bench.values(world, column.label).values() for column in columns}
    ranges = {label: (min(found), max(found)) for label, found in values.items() if found}
    shown = [column for column in columns if column.label in ranges]
    if len(shown) < 2:
        return None
    places, ticks = _rows(shown, ranges)
    traces = [
        _line(agent, places, ranges, {c.label: bench.cells.get((world, agent, c.label)) for c in shown})
        | style(bench.agents.index(agent), len(bench.agents))
        for agent in agents
    ]
    layout = {
        "height": ROW * len(ticks) + 40 + 26 * (1 + len(agents) // 3),
        "xaxis": {**AXIS, "range": [-0.08, 1.08], "tickvals": [0, 1], "showticklabels": False, **STILL},
        "yaxis": {
            **AXIS,
            "tickvals": [place for place, _ in ticks],
            "ticktext": [text for _, text in ticks],
            "range": [len(ticks) - 0.3, -0.6],
            **STILL,
        },
        "hovermode": "closest",
    }
    said = f"Profile of {len(agents)} agents on {len(shown)} metrics in {world}; the table above holds the same values."
    return Chart(f"Profiles in {world}", [View(world, said, traces, layout)])


def _line(
    agent: str,
    places: Mapping[str, int],
    ranges: Mapping[str, tuple[float, float]],
    cells: Mapping[str, Cell | None],
) -> dict[str, Any]:
    """The trace of one agent through the rows of those columns in which it has a value."""
    known = [(label, cell) for label, cell in cells.items() if cell and cell.value is not None]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(agent),
        "x": [_scaled(cell.value or 0.0, *ranges[label]) for label, cell in known],
        "y": [places[label] for label, _ in known],
        "customdata": [_hover(label, cell) for label, cell in known],
        "hovertemplate": "<b>%{fullData.name}</b><br>%{customdata}<extra></extra>",
    }


def energy(label: str, curves: Curves) -> View | None:
    """Free energy in its parts above, expected energy in its parts below, over the steps of the first episode."""
    if not curves.energies:
        return None
    names = sorted(curves.energies, key=_importance)
    above, below = ([name for name in names if (name in PARTS) == part] for part in (True, False))
    terms = [*(("y", name) for name in above), *(("y2", name) for name in below)]
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers" if len(curves.steps) <= POINTS else "lines",
            "name": name.replace("_", " "),
            "x": curves.steps,
            "y": curves.energies[name],
            "yaxis": axis,
            "hovertemplate": "%{y:.4g} nats",
            "line": {"color": COLORS[i % len(COLORS)], "width": 1.5 if _importance(name)[0] else 3.5},
            "marker": {"color": COLORS[i % len(COLORS)], "symbol": SYMBOLS[i % len(SYMBOLS)], "size": 6},
        }
        for i, (axis, name) in enumerate(terms)
    ]
    both = bool(above and below)
    layout = {
        "height": 460 if both else 300,
        "xaxis": axis("step of the episode")
        | {"anchor": "y2" if below else "y"}
        | ({"dtick": 1} if len(curves.steps) <= TICKS else {}),
        "yaxis": axis("belief, nats") | {"domain": [0.54, 1] if both else [0, 1]},
        "yaxis2": axis("plan, nats") | {"domain": [0, 0.46] if both else [0, 1]},
        "hovermode": "x unified",
        "showlegend": True,
    }
    said = f"Energies in nats over {len(curves.steps)} steps, {label}: {', '.join(curves.energies)}."
    return View(label, said.replace("_", " "), traces, layout)


def band(ends: Sequence[tuple[Any, ...]], label: str, color: str) -> dict[str, Any]:
    """The area between the ends of intervals: there along the upper ones, back along the lower ones."""
    there = [(step, high) for step, _, high in ends]
    back = [(step, low) for step, low, _ in reversed(ends)]
    return {
        **{"type": "scatter", "mode": "lines", "fill": "toself", "legendgroup": label, "showlegend": False},
        **{"x": [step for step, _ in there + back], "y": [short(value) for _, value in there + back]},
        **{"line": {"width": 0, "color": color}, "fillcolor": color, "opacity": SOFT, "hoverinfo": "skip"},
    }


def short(value: float | None) -> float | None:
    """Five significant digits are more than a screen has pixels."""
    return None if value is None else float(f"{value:.5g}")


def axis(title: str) -> dict[str, Any]:
    """An axis of that title."""
    return {**AXIS, "title": {"text": title}}


def _importance(name: str) -> tuple[bool, str]:
    return name not in ("free_energy", "expected_energy"), name


def _rows(
    columns: Sequence[Column], ranges: Mapping[str, tuple[float, float]]
) -> tuple[dict[str, int], list[tuple[int, str]]]:
    """The height of each column's row, and all rows' labels: a heading before those that look at the same things."""
    places: dict[str, int] = {}
    ticks: list[tuple[int, str]] = []
    for access, group in groupby(columns, lambda column: column.access):
        ticks.append((len(ticks), f"<b>{GROUPS[access]}</b>"))
        for column in group:
            places[column.label] = len(ticks)
            low, high = map(number, ranges[column.label])
            name, _, under = column.label.partition(" under ") if len(column.label) > LONG else (column.label, "", "")
            below = f"under {under} · {low} to {high}" if under else f"{low} to {high}"
            ticks.append((len(ticks), f'{escape(name)}<br><span style="font-size:10px">{escape(below)}</span>'))
    return places, ticks


def _scaled(value: float, low: float, high: float) -> float:
    if not isfinite(value):
        return 1.0 if value > 0 else 0.0
    return round((value - low) / (high - low), 4) if high - low > 1e-12 else 0.5


def _hover(label: str, cell: Cell) -> str:
    return escape(
        " ".join(part for part in (f"{label}: {number(cell.value)}", span(cell.low, cell.high), cell.unit) if part)
    )
