"""Profiles as tables for people: one subject, or two side by side."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np
from rich.table import Column, Table

from agentic.cli.terminal import number
from agentic.metrics.measurement import Interval
from agentic.metrics.profile import Row, verdicts
from agentic.metrics.verdict import LEVEL, Verdict


def profile_table(title: str, rows: Sequence[Row]) -> Table:
    """The table of one subject: a line for each metric."""
    names = list(dict.fromkeys(name for row in rows for name in row.references))
    columns = ["value", "interval", "null", "verdict", "unit", *names, "seconds"]
    table = Table(Column("metric", no_wrap=True), *columns, title=title, title_justify="left")
    table.caption, table.caption_justify = _caption(rows, judged := verdicts(rows)), "left"
    for row, verdict in zip(rows, judged, strict=True):
        value, interval = row.estimate
        shown = "exact" if row.exact else _interval(interval)
        others = [number(row.references.get(name)) for name in names]
        judgment = [_null(row), verdict.value, row.unit]
        table.add_row(row.name, number(value), shown, *judgment, *others, f"{row.seconds:.1f}")
    return table


def comparison_table(pairs: Sequence[tuple[Row, Row]], labels: tuple[str, str]) -> Table:
    """The table of two subjects side by side, each judged against its own nulls, and how much they differ."""
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    judged = verdicts(mine), verdicts(theirs)
    table = Table(Column("metric", no_wrap=True), *labels, "difference", "unit", caption_justify="left")
    table.caption = _caption([*mine, *theirs], [*judged[0], *judged[1]])
    for a, b, said, answered in zip(mine, theirs, *judged, strict=True):
        delta, interval = difference(a, b)
        cells = [f"{_estimate(a)}\n{said.value}", f"{_estimate(b)}\n{answered.value}"]
        table.add_row(a.name, *cells, f"{number(delta)} {_interval(interval)}", a.unit)
    return table


def difference(a: Row, b: Row) -> tuple[float, Interval | None]:
    """The difference a - b of independent values, and its interval.

    That is from theirs, side by side in quadrature (Zou and Donner 2008). An exact value has no width. None where an
    estimated one has no interval, or two exact ones need none.
    """
    (x, mine), (y, theirs) = a.estimate, b.estimate
    some = mine or theirs
    if some is None or not (mine or a.exact) or not (theirs or b.exact):
        return x - y, None
    own, other = mine or replace(some, low=x, high=x), theirs or replace(some, low=y, high=y)
    below = float(np.hypot(x - own.low, other.high - y))
    above = float(np.hypot(own.high - x, y - other.low))
    return x - y, Interval(some.level, x - y - below, x - y + above, "quadrature of two independent intervals")


def _estimate(row: Row) -> str:
    value, interval = row.estimate
    return f"{number(value)} {'exact' if row.exact else _interval(interval)}".rstrip()


def _interval(interval: Interval | None) -> str:
    return (
        "" if interval is None or not isfinite(interval.low) else f"[{number(interval.low)}, {number(interval.high)}]"
    )


def _null(row: Row) -> str:
    p = row.p_value
    if p is None:
        return "-"
    mean = float(np.mean([each.null.mean for each in row.found if each.null is not None]))
    return f"{number(mean)}, p = {p:.2g}"


def _caption(rows: Sequence[Row], judged: Sequence[Verdict]) -> str:
    levels = sorted({interval.level for row in rows if (interval := row.estimate[1]) is not None})
    shown = " and ".join(f"{100 * level:g} %" for level in levels)
    seeds = max(len(row.found) for row in rows)
    parts = [f"intervals: {shown}" + (f", Student t over {seeds} seeds" if seeds > 1 else "")] if levels else []
    if count := sum(row.chance for row in rows):
        parts.append(f"verdicts at the {100 * LEVEL:g} % level, p-values adjusted for {count} of them (Holm)")
    if (few := Verdict.TOO_FEW_SURROGATES) in judged:
        parts.append(f"{few.value}: none reaches the value, which one of so many metrics may owe to chance")
    return "; ".join(parts)
