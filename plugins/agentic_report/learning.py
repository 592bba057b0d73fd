"""Learning curves: the return per episode, smoothed over steps, with a band over seeds and the warm-up marked."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any

import numpy as np

from agentic_report.charts import View, axis, band, style
from agentic_report.curves import Curves
from agentic_report.statistic import Estimate, Mean
from agentic_report.wording import enumerated, number, span

PLACES = 100  # along a curve
PART = 20  # of all steps is a window
FEWEST = 20  # episodes of which a mean of the last says more than each of them
FAINT = 0.3  # opacity of what is smoothed


def learning(label: str, lines: Sequence[tuple[str, Sequence[Curves]]]) -> View | None:
    """Return per episode over the steps of experience; `lines` are each agent's name and its curves by seed."""
    known = [(agent, [each for each in seeds if each.series is not None]) for agent, seeds in lines]
    traces = [
        trace
        for index, (agent, seeds) in enumerate(known)
        if seeds
        for trace in _traces(agent, seeds, style(index, len(lines)))
    ]
    if not traces:
        return None
    names = ", ".join(agent for agent, seeds in known if seeds)
    layout = {
        "height": 360,
        "xaxis": axis("steps of experience") | {"rangemode": "tozero"},
        "yaxis": axis("return per episode"),
        "showlegend": True,
        **warm({agent: max(each.warmup for each in seeds) for agent, seeds in known if seeds}),
    }
    said = f"Return per episode while learning, over steps of experience: {names}, {label}."
    return View(label, f"{said} {_described(known)}".strip(), traces, layout)


def warm(warmups: Mapping[str, int]) -> dict[str, Any]:
    """The part of a layout that marks the ends of warm-ups, steps that were taken at random, by agent."""
    ends = sorted({steps for steps in warmups.values() if steps})
    place = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1}
    shapes: list[dict[str, Any]] = [
        {**place, "type": "line", "x0": end, "x1": end, "line": {"color": "--muted", "dash": "dot", "width": 1.5}}
        for end in ends
    ]
    if len(ends) != 1:
        return {"shapes": shapes}
    rest = {"type": "rect", "x0": 0, "x1": ends[0], "fillcolor": "--line", "opacity": 0.35, "line": {"width": 0}}
    text = {"text": "warm-up", "showarrow": False, "x": 0, "y": 1, "xref": "x", "yref": "paper"}
    inside = {"xanchor": "left", "yanchor": "top", "font": {"color": "--muted", "size": 11}}
    return {"shapes": [*shapes, {**place, **rest, "layer": "below"}], "annotations": [{**text, **inside}]}


def _traces(agent: str, seeds: Sequence[Curves], look: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was seen, faint, or of several seeds a band; and above it the mean over seeds of the last steps."""
    plain = {"type": "scatter", "mode": "lines", "name": escape(agent), "legendgroup": agent}
    seen = [{**plain, "x": each.learned[0], "y": each.learned[1]} for each in seeds]
    series = [each.series for each in seeds if each.series is not None]
    if len(seeds) == 1 and len(series[0].values) < FEWEST:
        mark = {"mode": "lines+markers", "marker": {**look["marker"], "size": 6}}
        return [{**seen[0], **mark, "line": look["line"]}]
    steps = min(each.steps for each in series)
    window = -(-steps // PART)
    grid = np.unique(np.linspace(window, steps, PLACES).astype(int))
    smooth = np.stack([each.smoothed(grid, window) for each in series], 1)
    known = [(int(step), Mean().estimate(row)) for step, row in zip(grid, smooth, strict=True) if _whole(row)]
    thin = {"showlegend": False, "opacity": FAINT, "hoverinfo": "skip", "line": {**look["line"], "width": 1}}
    ends = [(step, *each.ends) for step, each in known if None not in each.ends]
    behind = [band(ends, agent, look["line"]["color"])] if len(seeds) > 1 and ends else [each | thin for each in seen]
    line = {
        **{"x": [step for step, _ in known], "y": [float(f"{each.value:.5g}") for _, each in known]},
        **{"line": look["line"], "customdata": [_hover(each) for _, each in known]},
        "hovertemplate": "<b>%{fullData.name}</b><br>step %{x:,}: %{customdata}<extra></extra>",
    }
    return [*behind, {**plain, **line}]


def _whole(row: np.ndarray) -> bool:
    return all(isfinite(value) for value in row)


def _hover(estimate: Estimate) -> str:
    return escape(f"{number(estimate.value)} {span(*estimate.ends)}".strip())


def _described(lines: Sequence[tuple[str, Sequence[Curves]]]) -> str:
    """In words what lines and bands are, and where warm-ups end."""
    several = any(len(seeds) > 1 for _, seeds in lines)
    said = ["Lines are means of the last twentieth of all steps", "bands 95 % intervals over seeds" if several else ""]
    warmups = [(agent, max(each.warmup for each in seeds)) for agent, seeds in lines if seeds]
    ends = [f"that of {agent} at step {steps:,}" for agent, steps in warmups if steps]
    warm_up = f" Actions are drawn at random in the warm-up, which ends: {enumerated(ends)}." if ends else ""
    return f"{', '.join(part for part in said if part)}.{warm_up}"
