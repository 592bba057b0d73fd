"""Reading what may be missing, half written or written by others: whatever cannot be read is empty."""

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any

from agentic import Measurement
from agentic.errors import UserError
from agentic.runs import RunFolder


def words(value: Any) -> tuple[str, ...]:
    """The texts in a list."""
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list | tuple) else ()


def tables(value: Any) -> list[dict[str, Any]]:
    """The tables in a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list | tuple) else []


def mapping(value: Any) -> Mapping[str, Any]:
    """The table itself, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def facts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest in which the tables that a page reads are tables."""
    return {**manifest, "versions": mapping(manifest.get("versions")), "git": mapping(manifest.get("git"))}


def real(value: Any) -> float | None:
    """A number, infinite ones included; None for what is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return None if isnan(found) else found


def results(folder: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Of a run: its measurements by label as plain tables, and why others are missing."""
    found = RunFolder(folder).measurements
    return mapping(found.get("measurements")), mapping(found.get("missing"))


def measurement(table: Any) -> Measurement | None:
    """A measurement from its plain table."""
    try:
        return Measurement.from_dict(table)
    except UserError:
        return None
