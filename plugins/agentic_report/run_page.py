"""The content of the page of a run, gathered from its folder."""

from pathlib import Path
from typing import Any

from agentic import Record
from agentic.errors import UserError
from agentic.metrics import Row, summarize
from agentic.plugins import load
from agentic.runs import RunFolder
from agentic_report import charts
from agentic_report.boundary import boundary
from agentic_report.cells import judged
from agentic_report.curves import STEPS, curves
from agentic_report.grid import Shown, shown
from agentic_report.learning import learning
from agentic_report.listing.listed import Listed
from agentic_report.meanings import Meaning, meaning
from agentic_report.reading import facts, mapping, measurement, results, tables
from agentic_report.replays import replays


def run_page(folder: Path, *, trust: bool = False) -> dict[str, Any]:
    """The values of the template; a world that is not installed is made again where there is `trust`."""
    run = RunFolder(folder)
    manifest, experiment = run.manifest, run.experiment
    world = str(mapping(experiment.get("env")).get("id") or "its world")
    agent = str(mapping(experiment.get("agent")).get("name") or "agent")
    drawn, found = curves(folder), boundary(run.discovery)
    listed = Listed.of(folder, folder.name)
    ended = "" if listed is None else ": ".join(part for part in (listed.status, listed.note) if part)
    measured, meanings, missing = _measured(folder, agent, world)
    views = (learning(world, [(agent, [drawn])]), charts.energy(f"{agent} in {world}", drawn))
    cut = f", its first {STEPS} steps" if len(drawn.steps) == STEPS else ""
    titles = ("Learning: return per episode", f"Energies in the first evaluated episode{cut}")
    return {
        "title": found["title"] if found else f"{agent} in {world}",
        "folder": folder.resolve().name,
        "manifest": facts(manifest),
        "status": run.status if ended.startswith("failed") else ended,
        "refresh": ended.startswith("running"),
        "boundary": found,
        "summary": _summary(folder),
        "experiment": experiment,
        "components": tables(manifest.get("components")),
        "measured": measured,
        "meanings": meanings,
        "said": {each.labels[0]: each.summary for each in meanings},
        "missing": missing,
        "learned": views[0] is not None,
        "curves": [charts.Chart(title, [view]) for title, view in zip(titles, views, strict=True) if view],
        "replays": replays([(world, agent, folder)], trust=trust),
        "plugins": run.plugin_options,
    }


def _measured(
    folder: Path, agent: str, world: str
) -> tuple[list[tuple[str, Shown]], list[Meaning], list[tuple[str, str]]]:
    """Each measurement as a cell, what its metric means, and why others are missing."""
    found, missing = results(folder)
    known = {label: each for label, table in found.items() if (each := measurement(table))}
    cells = judged(agent, world, [Row(label, [each]) for label, each in known.items()])
    registry = load() if known else None
    meanings = [meaning(known[label].metric, [label], found[label], registry) for label in known] if registry else []
    return [(c.metric, shown(c, found[c.metric])) for c in cells], meanings, [(k, str(v)) for k, v in missing.items()]


def _summary(folder: Path) -> dict[str, Any] | None:
    """The numbers of the run; None where nothing whole was recorded."""
    try:
        return summarize(Record.salvage(folder))
    except (UserError, KeyError):
        return None
