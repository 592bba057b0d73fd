"""The scores of a bench as tables for people: a line for each agent, a column for each metric."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Column, Table

from agentic.cli import number

if TYPE_CHECKING:
    from agentic_bench import Cell, Scores

LEGEND = (
    "(in parentheses): not told from its null, which is what chance gives, or too little data to tell; tests are\n"
    "one-sided: only what lies above its null is told from it. p-values are adjusted for the columns of a line.\n"
    "[low, high]: 95 %, over seeds where there are several. - : undefined, or does not apply."
)
MOST = 7  # columns of one table
ZERO = 1e-12  # closer to zero than this, it is rounding


def score_tables(world: str, about: str, scores: "Scores") -> Iterator[Table]:
    """The tables of one world, more than one where it has too many columns."""
    cells = {(cell.agent, cell.metric): cell for cell in scores.cells if cell.world == world}
    metrics = list(dict.fromkeys(metric for _, metric in cells))
    agents = [a for a in scores.agents if any(agent == a for agent, _ in cells)]
    size = -(-len(metrics) // -(-len(metrics) // MOST))
    for first in range(0, len(metrics), size):
        some = metrics[first : first + size]
        heads = [Column(_head(metric, cells), justify="right", no_wrap=True) for metric in some]
        title = f"{world}: {about}" if about and not first else world
        table = Table(Column("agent", no_wrap=True), *heads, title=escape(title), title_justify="left")
        for agent in agents:
            table.add_row(escape(agent), *(shown(cells.get((agent, metric))) for metric in some))
        yield table


def _head(metric: str, cells: "Mapping[tuple[str, str], Cell]") -> str:
    unit = next((cell.unit for (_, label), cell in cells.items() if label == metric and cell.unit), "")
    return escape("\n".join([*metric.replace(" under ", "\nunder ").split("\n"), f"({unit})" if unit else ""]))


def shown(cell: "Cell | None") -> str:
    """A cell as text: value and interval, in parentheses where the value is not told from its null."""
    if cell is None or cell.value is None:
        return "-"
    value = _number(cell.value)
    text = f"({value})" if cell.verdict.inconclusive else value
    bounds = None if cell.low is None or cell.high is None else f"[{_number(cell.low)}, {_number(cell.high)}]"
    return escape(text if bounds is None or cell.low == cell.high else f"{text}\n{bounds}")


def unmeasured(scores: "Scores") -> Iterator[str]:
    """A line for each agent of which nothing was measured in a world, and the first reason."""
    lines: dict[tuple[str, str], list[Cell]] = {}
    for cell in scores.cells:
        lines.setdefault((cell.world, cell.agent), []).append(cell)
    for (world, agent), cells in lines.items():
        if all(cell.value is None for cell in cells):
            reason = next((cell.note for cell in cells if cell.note), "no reason is known")
            yield f"{world}, {agent}: {reason}"


def _number(value: float) -> str:
    return number(0.0 if abs(value) < ZERO else value)
