"""Many measurements as one table: each metric over its seeds, judged together, and two subjects side by side."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isclose, isfinite, log
from typing import final

import numpy as np
from rich.table import Column, Table
from scipy.special import gammaincc

from agentic.cli.summary import mean_interval
from agentic.cli.tables import number
from agentic.metric import LEVEL, Interval, Measurement, holm

FEW = re.compile(r"\bfew\b|\bat least\b|\brecord more\b")  # in the warnings of metrics
SURROGATES = "too few surrogates"  # a verdict


@final
@dataclass(frozen=True)
class Row:
    """One metric of one subject: a measurement for each seed, and the seconds they took."""

    name: str
    found: Sequence[Measurement]
    seconds: float = 0.0

    @property
    def unit(self) -> str:
        return self.found[0].unit

    @property
    def exact(self) -> bool:
        return not any(each.interval or each.samples for each in self.found)

    @property
    def warnings(self) -> list[str]:
        return list(dict.fromkeys(warning for each in self.found for warning in each.warnings))

    @property
    def estimate(self) -> tuple[float, Interval | None]:
        """The value and its interval; over several seeds their mean and Student's interval, seeds being independent."""
        if len(self.found) == 1:
            return self.found[0].value, self.found[0].interval
        mean, interval = mean_interval([each.value for each in self.found])
        return mean, replace(interval, method="Student t over seeds")

    @property
    def p_value(self) -> float | None:
        """Of all seeds together: -2 sum ln p is chi-square with 2 n degrees of freedom under the null (Fisher 1925)."""
        nulls = [each.null for each in self.found if each.null is not None]
        if len(nulls) < len(self.found):
            return None
        if len(nulls) == 1:
            return nulls[0].p_value
        surprise = sum(-log(null.p_value) if null.p_value > 0 else inf for null in nulls)
        return float(gammaincc(len(nulls), surprise))

    @property
    def chance(self) -> bool:
        """Whether it has a null that is not exactly known."""
        return self.p_value is not None and any(
            each.null and (each.null.sd > 0 or each.null.n > 1) for each in self.found
        )

    @property
    def references(self) -> Mapping[str, float]:
        """What others score, the mean over seeds."""
        names = dict.fromkeys(name for each in self.found for name in each.references)
        scores = {name: [each.references[name] for each in self.found if name in each.references] for name in names}
        return {name: float(np.mean(values)) for name, values in scores.items()}


def verdicts(rows: Sequence[Row]) -> list[str]:
    """Each value against its null at the 5 % level, p-values adjusted for the number of rows that chance has a part in.

    Where no surrogate reaches the value, but they are too few to say so among so many rows, it is said instead.
    """
    chances = {row.name: row.p_value for row in rows if row.chance}
    adjusted = dict(zip(chances, holm([p for p in chances.values() if p is not None]), strict=True))
    return [_verdict(row, adjusted.get(row.name, row.p_value)) for row in rows]


def _verdict(row: Row, p: float | None) -> str:
    if any(map(FEW.search, row.warnings)):
        return "too little data"
    if p is None:
        return "no null"
    if p < LEVEL:
        return "outside the null"
    nulls = [each.null for each in row.found if each.null is not None]
    unreached = all(null.n > 1 and isclose(null.p_value, 1 / (1 + null.n)) for null in nulls)
    return SURROGATES if unreached else "inside the null"


def difference(a: Row, b: Row) -> tuple[float, Interval | None]:
    """a - b of independent values; its interval from theirs, side by side in quadrature (Zou and Donner 2008).

    An exact value has no width. None where an estimated one has no interval, or two exact ones need none.
    """
    (x, mine), (y, theirs) = a.estimate, b.estimate
    if (mine is None and not a.exact) or (theirs is None and not b.exact) or (mine is None and theirs is None):
        return x - y, None
    level = (mine or theirs).level  # type: ignore[union-attr]
    own, other = mine or Interval(level, x, x, "exact"), theirs or Interval(level, y, y, "exact")
    below = float(np.hypot(x - own.low, other.high - y))
    above = float(np.hypot(own.high - x, y - other.low))
    return x - y, Interval(level, x - y - below, x - y + above, "quadrature of two independent intervals")


def profile_table(title: str, rows: Sequence[Row]) -> Table:
    """One subject: a line for each metric."""
    names = list(dict.fromkeys(name for row in rows for name in row.references))
    columns = ["value", "interval", "null", "verdict", "unit", *names, "seconds"]
    table = Table(_names(rows), *columns, title=title, title_justify="left")
    table.caption, table.caption_justify = _caption(rows, judged := verdicts(rows)), "left"
    for row, verdict in zip(rows, judged, strict=True):
        value, interval = row.estimate
        shown = "exact" if row.exact else _interval(interval)
        others = [number(row.references.get(name)) for name in names]
        table.add_row(row.name, number(value), shown, _null(row), verdict, row.unit, *others, f"{row.seconds:.1f}")
    return table


def comparison_table(pairs: Sequence[tuple[Row, Row]], labels: tuple[str, str]) -> Table:
    """Two subjects side by side, each judged against its own nulls, and how much they differ."""
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    judged = verdicts(mine), verdicts(theirs)
    table = Table(_names(mine), *labels, "difference", "unit", caption_justify="left")
    table.caption = _caption([*mine, *theirs], [*judged[0], *judged[1]])
    for a, b, said, answered in zip(mine, theirs, *judged, strict=True):
        delta, interval = difference(a, b)
        cells = [f"{_estimate(a)}\n{said}", f"{_estimate(b)}\n{answered}"]
        table.add_row(a.name, *cells, f"{number(delta)} {_interval(interval)}", a.unit)
    return table


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


def _names(rows: Sequence[Row]) -> Column:
    return Column("metric", min_width=max(len(row.name) for row in rows))


def _caption(rows: Sequence[Row], judged: Sequence[str]) -> str:
    levels = sorted({interval.level for row in rows if (interval := row.estimate[1]) is not None})
    shown = " and ".join(f"{100 * level:g} %" for level in levels)
    seeds = max(len(row.found) for row in rows)
    parts = [f"intervals: {shown}" + (f", Student t over {seeds} seeds" if seeds > 1 else "")] if levels else []
    if count := sum(row.chance for row in rows):
        parts.append(f"verdicts at the {100 * LEVEL:g} % level, p-values adjusted for {count} of them (Holm)")
    if SURROGATES in judged:
        parts.append(f"{SURROGATES}: none reaches the value, which one of so many metrics may owe to chance")
    return "; ".join(parts)
