"""The content of the page of a bench, gathered from its folder."""

from collections.abc import Mapping
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from agentic import Verdict
from agentic.experiments import TOP
from agentic.plugins import load
from agentic_report import charts
from agentic_report.bench_folder import Bench
from agentic_report.curves import STEPS, curves
from agentic_report.findings import findings, telling
from agentic_report.grid import grid
from agentic_report.learning import learning
from agentic_report.listing.listed import is_running
from agentic_report.meanings import meanings
from agentic_report.reading import mapping, tables, words
from agentic_report.replays import Replays, replays

PARTS = (*TOP, "learn")
OWN = {"name", "label", "worlds", "about", *PARTS}


def bench_page(bench: Bench, *, trust: bool = False) -> dict[str, Any]:
    """The values of the template; worlds that are not installed are made again where there is `trust`."""
    registry, agents = load(), [_agent(table) for table in tables(bench.settings.get("agents"))]
    labels = dict.fromkeys(agent["label"] for agent in agents)
    meant = meanings(bench, registry)
    summaries = {each.name: each.summary for each in meant}
    return {
        "title": bench.title,
        "bench": bench,
        "about": str(mapping(bench.settings.get("bench")).get("about") or ""),
        "worlds": tables(bench.settings.get("worlds")),
        "agents": agents,
        "kinds": [(label, [agent for agent in agents if agent["label"] == label]) for label in labels],
        "changes": tables(bench.settings.get("interventions")),
        "seeds": bench.seeds,
        "frames": _frames(bench),
        "findings": findings(bench),
        "grids": [made for world in bench.worlds if (made := grid(bench, world, summaries)).columns],
        "profiles": [chart for world in bench.worlds if (chart := charts.profile(bench, world))],
        "curves": _curves(bench),
        "replays": _replays(bench, trust),
        "goals": len({str(dict(agent["parts"]).get("goal")) for agent in agents}) > 1,
        "meanings": meant,
        "refresh": is_running(bench.folder),
        "missing": _missing(bench),
        "example": bench.example,
    }


def _agent(table: Mapping[str, Any]) -> dict[str, Any]:
    """What is said about an agent, its component with its parameters, and the tables of its parts."""
    return {
        "label": table.get("label") or table.get("name"),
        "about": table.get("about"),
        "worlds": words(table.get("worlds")),
        "component": {"name": table.get("name", ""), **{key: each for key, each in table.items() if key not in OWN}},
        "parts": [(part, table[part]) for part in PARTS if part in table],
    }


def _frames(bench: Bench) -> list[tuple[str, str, Mapping[str, Any]]]:
    """The frame of each column in each world, as the first agent's measurement has it."""
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    for world in bench.worlds:
        for column in bench.columns_in(world):
            samples = (bench.sample(world, agent, column.label) for agent in bench.agents)
            frames = (frame for sample in samples if (frame := mapping(sample.get("frame"))))
            found += [(world, column.label, frame) for frame in islice(frames, 1)]
    return found


def _curves(bench: Bench) -> list[charts.Chart]:
    """Learning, a view for each world, and energies, a view for each agent in each world."""
    learned, energies = [], []
    for world in bench.worlds:
        lines = []
        for agent in bench.agents:
            seeds = [curves(unit) for unit in bench.units(world, agent)]
            lines.append((agent, seeds))
            if seeds and (view := charts.energy(f"{agent} in {world}", seeds[0])):
                energies.append(view)
        if view := learning(world, lines):
            learned.append(view)
    made = (
        charts.Chart("Learning: return per episode", learned),
        charts.Chart(f"Energies in the first evaluated episode, first seed, at most {STEPS} steps", energies),
    )
    return [chart for chart in made if chart.views]


def _replays(bench: Bench, trust: bool) -> Replays:
    """Of first seeds, taking one world after the other, so that each gets its share of the room."""
    rows = [[(w, a, units[0]) for a in bench.agents if (units := bench.units(w, a))] for w in bench.worlds]
    turns: list[tuple[str, str, Path]] = [each for turn in zip_longest(*rows) for each in turn if each]
    first = telling(bench)
    return replays(sorted(turns, key=lambda unit: unit[:2] != first), first, trust=trust)


def _missing(bench: Bench) -> list[tuple[str, str, str, str]]:
    """World, agent, column and reason of every value that there is not."""
    cells = (cell for cell in bench.cells.values() if cell.value is None)
    return [(cell.world, cell.agent, cell.metric, cell.note or Verdict.UNDEFINED.value) for cell in cells]
