"""The cells of a bench as Markdown tables, between the markers where the README has them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentic import Verdict
from agentic_bench import read_cells
from agentic_bench.scores import LEGEND

START, END = "<!-- bench table -->", "<!-- end -->"
NONE = "-"
Cells = Mapping[tuple[str, str], Mapping[str, Any]]  # by agent and metric


def tables(bench: Path) -> str:
    """A table for each world: agents down, and across the metrics that have a value there."""
    found = read_cells(bench)
    drawn = []
    for world in found["worlds"]:
        cells = {(cell["agent"], cell["metric"]): cell for cell in found["cells"] if cell["world"] == world}
        drawn.append(_table(world if len(found["worlds"]) > 1 else "agent", found["agents"], cells))
    return "\n\n".join([*drawn, LEGEND])


def _table(corner: str, agents: Sequence[str], cells: Cells) -> str:
    valued = {key for key, cell in cells.items() if cell["value"] is not None}
    columns = dict.fromkeys(metric for _, metric in cells)  # as the bench file has them for this world
    across = [metric for metric in columns if any((agent, metric) in valued for agent in agents)]
    down = [agent for agent in agents if any((agent, metric) in valued for metric in across)]
    head = [_head(metric, cells) for metric in across]
    body = [[agent, *(_shown(cells.get((agent, metric))) for metric in across)] for agent in down]
    rows = [[corner, *head], ["---", *("--:" for _ in across)], *body]
    return "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in rows)


def _head(metric: str, cells: Cells) -> str:
    unit = next((cell["unit"] for (_, label), cell in cells.items() if label == metric and cell["unit"]), "")
    return f"{metric} ({unit})" if unit else metric


def _shown(cell: Mapping[str, Any] | None) -> str:
    """Value and interval, in parentheses where the value is not told from its null."""
    if cell is None or cell["value"] is None:
        return NONE
    value, low, high = _number(cell["value"]), cell["low"], cell["high"]
    shown = f"({value})" if Verdict.of(cell["verdict"]).inconclusive else value
    return shown if low is None or high is None or low == high else f"{shown} [{_number(low)}, {_number(high)}]"


def _number(value: float) -> str:
    """Three digits; a rounding error of an exact value is 0."""
    return "0" if abs(value) < 5e-10 else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def put(text: str, table: str) -> str:
    """The text with the table between its markers; raises ValueError where it has not one of each, in this order."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"expected a line '{START}' and after it a line '{END}' where the table goes")
    return f"{before}{START}\n\n{table}\n\n{END}{after}"
