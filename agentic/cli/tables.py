"""Runs as tables for people: what `run`, `show` and `demo` print."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from rich.markup import escape
from rich.table import Table

from agentic.cli.terminal import number
from agentic.planning import sign

PERCEPTION = {"free_energy", "accuracy", "complexity", "energy", "mean_energy"}
SPLIT = ("risk", "ambiguity")  # of the executed action's first step: another way to cut the same cake
BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = "_.-=+*#@"


def result_table(summary: Mapping[str, Any]) -> Table:
    """The table of a run: return, energies with their parts, and speed."""
    table = Table(title="Result", show_header=False, title_justify="left")
    for name, value in _rows(summary):
        table.add_row(name, value)
    return table


def _rows(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    energy = summary["energy"]
    rows = [("return", f"{_with_interval(summary['return'])}, {_note(summary)}")]
    rows += [(name.replace("_", " "), number(energy[name])) for name in ("energy", "mean_energy") if name in energy]
    if "free_energy" in energy:
        parts = f"complexity {number(energy.get('complexity'))} - accuracy {number(energy.get('accuracy'))}"
        rows.append(("free energy", f"{number(energy['free_energy'])} = {parts} (nats per step)"))
    if "expected_energy" in energy:
        rows.append(("expected energy", f"{number(energy['expected_energy'])} = {_expected(energy)} (nats per plan)"))
    if all(name in energy for name in SPLIT):
        rows.append(("  next step", " + ".join(f"{name} {number(energy[name])}" for name in SPLIT)))
    rows.append(("steps", f"{summary['steps']:,} learned from, {summary['evaluation_steps']:,} evaluated"))
    rows.append(("speed", f"{_speed(summary)} steps/s" + ("" if not summary["seconds"] else _took(summary))))
    return [*rows, ("folder", escape(str(summary["run"])))]


def _expected(energy: Mapping[str, float]) -> str:
    """The sum as it is defined: gains are subtracted."""
    named = {"expected_energy", *PERCEPTION, *SPLIT}
    parts = [(name, value) for name, value in energy.items() if name not in named]
    text = "".join(f" {'-' if sign(name) < 0 else '+'} {name.replace('_', ' ')} {number(v)}" for name, v in parts)
    return text.removeprefix(" + ").strip()


def _took(summary: Mapping[str, Any]) -> str:
    return f" ({summary['seconds']:.1f} s in all)"


def _note(summary: Mapping[str, Any]) -> str:
    """What the interval of the mean is, or over how many episodes there is none."""
    episodes, method = summary["episodes"], summary["return"]["method"]
    return f"95 % interval of the mean, {method}" if method else f"{episodes} complete episode{'s' * (episodes != 1)}"


def _with_interval(values: Mapping[str, Any]) -> str:
    """A mean with its interval, where there is one."""
    if values["low"] is None:
        return number(values["mean"])
    return f"{number(values['mean'])} [{number(values['low'])}, {number(values['high'])}]"


def _speed(summary: Mapping[str, Any]) -> str:
    steps = summary["steps"] + summary["evaluation_steps"]
    return f"{steps / summary['seconds']:,.0f}" if summary["seconds"] else "-"


def component_table(components: Sequence[Mapping[str, Any]]) -> Table:
    """The table of the components of a run."""
    table = Table("kind", "name", "from", "parameters", title="Components", title_justify="left")
    for row in components:
        version = row.get("version") or f"sha256 {str(row.get('sha256') or '')[:12]}"
        parameters = row.get("parameters")
        given = parameters.items() if isinstance(parameters, Mapping) else ()
        cells = (row.get("kind"), row.get("name"), f"{row.get('plugin')} {version}")
        table.add_row(*(escape(str(cell)) for cell in cells), escape(", ".join(f"{k} = {v}" for k, v in given)))
    return table


def sparkline(
    values: Sequence[float], encoding: str = "utf-8", width: int = 60, ends: tuple[float, float] | None = None
) -> str:
    """A line of bars: one character for each value, or for the mean of neighbors where there are more than `width`.

    The lowest bar is the least value and the highest the largest, or the `ends` that several lines have in common.
    """
    bars = BARS if encoding.lower().startswith("utf") else PLAIN_BARS
    size = -(-len(values) // width) or 1
    groups = [values[start : start + size] for start in range(0, len(values), size)]
    means = [sum(group) / len(group) for group in groups]
    found = [mean for mean in means if isfinite(mean)]
    low, high = ends or (min(found, default=0.0), max(found, default=0.0))
    span = high / 2 - low / 2  # halved, for the whole may be infinite
    heights = (min(max((mean / 2 - low / 2) / span, 0.0), 1.0) if span else 0.0 for mean in found)
    drawn = (bars[round(height * (len(bars) - 1))] for height in heights)
    return "".join(next(drawn) if isfinite(mean) else "?" for mean in means)
