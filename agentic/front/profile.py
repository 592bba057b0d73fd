"""Profiles: several metrics of one subject, each by its name, judged together against their nulls."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, final

from agentic.metrics.measurement import Measurement
from agentic.metrics.profile import Row, verdicts
from agentic.metrics.verdict import Verdict
from agentic.showing import html_table, pandas, text_table

if TYPE_CHECKING:
    from pandas import DataFrame

HEAD = ("metric", "value", "unit", "interval", "null", "verdict")


@final
class Profile(Mapping[str, Measurement]):
    """The measurements of one subject by the name of their metric, which is a table where it is shown.

    `left_out` says why metrics have no value here. Verdicts are adjusted for the number of metrics (Holm).

    >>> import agentic
    >>> record = agentic.run("random", "FrozenLake-v1", episodes=3, out=None)
    >>> profile = agentic.measure(["episode_return", "policy_complexity"], record)
    >>> list(profile), profile["episode_return"].unit
    (['episode_return', 'policy_complexity'], 'reward')
    """

    def __init__(self, rows: list[Row], left_out: Mapping[str, Exception] | None = None) -> None:
        self.rows, self.left_out = rows, dict(left_out or {})
        self._found = {row.name: row.found[0] for row in rows}

    def __getitem__(self, name: str) -> Measurement:
        if name not in self._found:
            reason = self.left_out.get(name)
            raise KeyError(name if reason is None else f"{name}: {reason}")
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def lines(self) -> list[dict[str, str]]:
        """The lines of the table, in words."""
        return [_words(row, verdict) for row, verdict in zip(self.rows, verdicts(self.rows), strict=True)]

    def to_pandas(self) -> "DataFrame":
        """The table with numbers in it, a line for each metric. Raises UserError without pandas."""
        judged = zip(self.rows, verdicts(self.rows), strict=True)
        return pandas().DataFrame([_numbers(row, verdict) for row, verdict in judged])

    def __repr__(self) -> str:
        table = text_table([HEAD, *([line[name] for name in HEAD] for line in self.lines())])
        return "\n".join([table, *(f"not measured: {name}: {reason}" for name, reason in self.left_out.items())])

    def _repr_html_(self) -> str:
        rows = [[line[name] for name in HEAD] for line in self.lines()]
        rows += [[name, f"not measured: {reason}", "", "", "", ""] for name, reason in self.left_out.items()]
        return html_table(rows, "Profile", HEAD)


def _words(row: Row, verdict: Verdict) -> dict[str, str]:
    each = row.found[0]
    interval = "exact" if row.exact else str(each.interval or "")
    numbers = {
        "value": f"{each.value:.4g}",
        "unit": each.unit,
        "interval": interval,
        "null": str(each.null or "-").removeprefix("null "),
    }
    return {"metric": row.name, **numbers, "verdict": verdict.value}


def _numbers(row: Row, verdict: Verdict) -> dict[str, object]:
    each = row.found[0]
    interval, null = each.interval, each.null
    return {
        **{"metric": row.name, "value": each.value, "unit": each.unit},
        **{"low": interval and interval.low, "high": interval and interval.high},
        **{"null": null and null.mean, "p_value": null and null.p_value, "verdict": verdict.value},
        **{"episodes": each.episodes, "samples": each.samples, "warnings": "; ".join(each.warnings)},
    }
