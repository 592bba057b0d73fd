"""Cells of a profile as the page reads them, from files that others may have written or cut short."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import hypot, isfinite
from typing import Any

from agentic import UserError, Verdict
from agentic.metrics import Row, verdicts
from agentic_bench import BenchFolder, Cell
from agentic_report.reading import real

JUDGED = (Verdict.INSIDE, Verdict.OUTSIDE)  # values that were told from their null, or not


def cell_of(table: Mapping[str, Any]) -> Cell | None:
    """A cell from its plain table; None where it does not say whose it is; other wrong fields are left out.

    Raises UserError for a word that is no verdict.
    """
    read: dict[str, Any] = {}
    for field in fields(Cell):
        value = table.get(field.name)
        if isinstance(field.default, bool):
            read[field.name] = value is True
        elif isinstance(field.default, int):
            read[field.name] = value if isinstance(value, int) else 0
        elif isinstance(field.default, Verdict):
            read[field.name] = _verdict(table)
        elif field.name in ("agent", "world", "metric", "unit", "note"):
            read[field.name] = value if isinstance(value, str) else ""
        else:
            read[field.name] = real(value)
    return Cell(**read) if read["agent"] and read["world"] and read["metric"] else None


def _verdict(table: Mapping[str, Any]) -> Verdict:
    """That of a cell; undefined where no word is there."""
    word = table.get("verdict")
    try:
        return Verdict.of(word) if isinstance(word, str) else Verdict.UNDEFINED
    except UserError as error:
        place = ", ".join(str(table.get(name)) for name in ("world", "agent", "metric"))
        raise UserError(f"{BenchFolder.CELLS}: {place}: {error}") from None


def known(cell: Cell | None) -> bool:
    """Whether it has a finite value."""
    return cell is not None and cell.value is not None and isfinite(cell.value)


def difference(a: Cell, b: Cell) -> float:
    """How far two values are from each other."""
    return abs((a.value or 0.0) - (b.value or 0.0))


def apart(a: Cell, b: Cell) -> bool:
    """Whether two values differ: exact ones at all, estimated ones by more than their intervals (Zou, Donner 2008)."""
    upper, lower = (a, b) if (a.value or 0.0) >= (b.value or 0.0) else (b, a)
    below = 0.0 if upper.low is None else (upper.value or 0.0) - upper.low
    above = 0.0 if lower.high is None else lower.high - (lower.value or 0.0)
    return difference(a, b) > max(hypot(below, above), 1e-9)


def judged(agent: str, world: str, rows: Sequence[Row]) -> list[Cell]:
    """The cells of one subject from its measurements, judged together."""
    return [Cell.of(agent, world, row, said) for row, said in zip(rows, verdicts(rows), strict=True)]
