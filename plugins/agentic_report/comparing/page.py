"""The page of a comparison, one HTML file that asks for nothing else."""

from collections.abc import Sequence
from html import escape
from math import isfinite
from pathlib import Path
from shlex import quote
from typing import Any

from agentic.errors import RunError
from agentic.runs import write_whole
from agentic_report.charts import Chart, View, axis, band, short, style
from agentic_report.comparing.comparison import Comparison
from agentic_report.comparing.trial import RETURN, Trial
from agentic_report.learning import warm
from agentic_report.rendering import render
from agentic_report.statistic import Estimate
from agentic_report.wording import chance, enumerated, number, span


def write_page(found: Comparison, path: Path, command: str = "") -> Path:
    """Write the page to a file, and return where it is. Raises RunError where that fails."""
    try:
        write_whole(path, render("comparison", **content(found, command)) + "\n")
    except OSError as error:
        raise RunError(f"the page {path} cannot be written: {error.strerror}; give another file") from error
    return path


def content(found: Comparison, command: str = "") -> dict[str, Any]:
    """What the template is filled with."""
    labels = [group.label for group in found.groups]
    view = curves(found)
    seeds = sorted({str(seed) for group in found.groups for seed in group.seeds}, key=int)
    return {
        "title": f"{_title(labels)} in {found.env}",
        "outcome": found.outcome[:1].upper() + found.outcome[1:],
        "found": found,
        "labels": labels,
        "runs": sum(len(group.trials) for group in found.groups),
        "seeds": seeds,
        "columns": _columns(found),
        "rows": [_row(found, place) for place in range(len(labels))],
        "each": _each(found),
        "chart": None if view is None else Chart(found.caption[:1].upper() + found.caption[1:], [view]),
        "command": command,
        "again": f"agentic reproduce {quote(str(found.groups[0].trials[0].folder))}",
    }


def curves(found: Comparison) -> View | None:
    """A line for each group with a band around it; None where there is nothing to draw."""
    steps, traces = found.grid.tolist(), list[dict[str, Any]]()
    for place, (group, curve) in enumerate(zip(found.groups, found.curves, strict=True)):
        known = [(step, each) for step, each in zip(steps, curve, strict=True) if isfinite(each.value)]
        if not known:
            continue
        look, name = style(place, len(found.groups)), escape(group.label)
        banded = [(step, *each.ends) for step, each in known if None not in each.ends]
        traces += [band(banded, group.label, look["line"]["color"])] if banded else []
        traces.append(
            {
                **{"type": "scatter", "mode": "lines", "name": name, "legendgroup": group.label},
                **{
                    "x": [step for step, _ in known],
                    "y": [short(each.value) for _, each in known],
                    "line": look["line"],
                },
                "customdata": [_hover(each) for _, each in known],
                "hovertemplate": "<b>%{fullData.name}</b><br>step %{x:,}: %{customdata}<extra></extra>",
            }
        )
    if not traces:
        return None
    what = "return per episode" if found.column == RETURN else found.column.replace("_", " ")
    layout = {"height": 420, "xaxis": axis(f"steps of {_phase(found)}"), "yaxis": axis(what), "showlegend": True}
    if found.phase == "learn":
        layout |= warm({group.label: max(map(_warmup, group.trials), default=0) for group in found.groups})
    names = enumerated([group.label for group in found.groups])
    said = f"{found.caption}: {names}, each the {found.statistic.name} over seeds with its 95 % interval as a band."
    return View(found.env, said, traces, layout)


def _warmup(run: Trial) -> int:
    """How many steps of experience were taken at random."""
    steps = run.settings.get("learn.warmup")
    return steps if type(steps) is int and steps > 0 else 0


def _title(labels: Sequence[str]) -> str:
    """The groups where they are called by a word each."""
    plain = all(" " not in label for label in labels)
    return "Runs" if len(labels) < 2 else enumerated(labels) if plain else f"{len(labels)} groups of runs"


def _columns(found: Comparison) -> dict[str, str]:
    """The columns of the table of what groups earned, and what each is."""
    own = {
        "group": "the runs that agree in all settings but the seed, by those values that tell groups apart",
        "seeds": "how many seeds have a value, and how many runs where a seed has several",
        f"{found.statistic.name} [95 %]": f"of {found.outcome}, with its interval ({found.statistic.method})",
    }
    if len(found.groups) < 2:
        return own
    chances = "how often chance alone gives a difference as large in either direction, adjusted for all groups"
    return own | {
        "above the first [95 %]": f"by how much the group is above the first one, with its interval ({found.method})",
        "p (Holm)": chances if found.statistic.tests else f"none: the {found.statistic.name} has no test",
        "verdict": "above or below the first where that p is less than .05; the test is two-sided",
    }


def _row(found: Comparison, place: int) -> dict[str, Any]:
    """A line of the table of what groups earned."""
    own = found.estimates[place]
    row: dict[str, Any] = {"label": found.groups[place].label, "seeds": found.counted(found.groups[place])}
    row |= {"value": own.value, "around": span(*own.ends)}
    if not place:
        return row
    apart = found.differences[place - 1]
    signed = number(apart.estimate.value)
    return {
        **row,
        "difference": f"+{signed}" if apart.estimate.value > 0 else signed,
        "between": span(*apart.estimate.ends),
        "chance": chance(apart.adjusted),
        "verdict": found.verdict(apart),
    }


def _each(found: Comparison) -> list[tuple[str, str, str, str]]:
    """The group, the seed, the value and the folder of every run."""
    rows = []
    for group in found.groups:
        known = found.earned(group)
        for place, run in enumerate(group.trials):
            seed = "" if run.seed is None else str(run.seed)
            rows.append((group.label, seed, number(known.get(place)), str(run.folder)))
    return rows


def _phase(found: Comparison) -> str:
    return "experience" if found.phase == "learn" else "evaluation"


def _hover(estimate: Estimate) -> str:
    return escape(f"{number(estimate.value)} {span(*estimate.ends)}".strip())
