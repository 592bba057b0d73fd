"""Folders to make pages of: real runs of tiny settings, and a bench of them with measurements made by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree
from typing import Any

from agentic import Access, Experiment, Frame, Interval, Measurement, Null, load
from agentic.experiments.build import build
from agentic.experiments.toml import toml_value
from agentic.jobs import slug

REGISTRY = load()
STRANGE = "<script>document.title = 'taken'</script>"  # a label that must stay a text

TMAZE: dict[str, Any] = {
    "env": {"id": "agentic/TMaze-v0"},
    "agent": {"name": "energy", "selection": {"name": "greedy"}},
    "model": {"name": "categorical"},
    "goal": {"name": "log_preferences", "values": [[0, 0, 0, 0, 0], [0, 2, -6]]},
    "inference": {"name": "mirror"},
    "planner": {
        "name": "tree",
        "horizon": 2,
        "gain": {"name": "summed"},
        "backup": {"name": "mean_under_softmax", "precision": 3.0},
    },
    "evaluate": {"episodes": 2},
}
CARTPOLE: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "kwargs": {"max_episode_steps": 15}},
    "agent": {"name": "energy", "selection": {"name": "greedy"}},
    "model": {"name": "linear_gaussian", "prior_precision": 1e-8},
    "goal": {"name": "quadratic", "weights": [1.0, 0.0, 1.0, 0.0]},
    "inference": {"name": "newton"},
    "planner": {"name": "riccati", "horizon": 8, "effort": {"name": "effort", "scale": 0.2}},
    "learner": {"name": "conjugate"},
    "learn": {"steps": 40, "warmup": 20},
    "evaluate": {"episodes": 2},
}
AGENTS = {"planner-40": "energy", "clone": "energy", "random": "random", "rock": "rock", STRANGE: "random"}
WORLDS = {"maze": TMAZE, "pole & cart": CARTPOLE}
SCORES: dict[str, tuple[float, ...]] = {  # column: the value of each agent
    "episode_return": (2.9, 2.9, -0.4, 0.0, -0.3),
    "policy_complexity": (0.5162, 0.5162, 0.0, 0.0, 0.02),
    "transfer_entropy": (0.41, 0.41, 0.01, 0.0, -0.01),
    "empowerment": (1.58, 1.58, 1.58, 1.58, 1.58),
    "AI under swap": (1.0, 0.0, 0.0, 0.0, 0.01),
    "DEV under devalued": (0.5595, 0.0, 0.0, 0.0, 0.0),
}
NULLS = {  # mean and standard deviation; the others have none
    "policy_complexity": (0.0, 0.03),
    "transfer_entropy": (0.0, 0.02),
    "AI under swap": (0.0, 0.0),
    "DEV under devalued": (0.0, 0.0),
}
NAMES = {"AI under swap": "policy_adaptation", "DEV under devalued": "outcome_devaluation"}
ACCESS = {"empowerment": Access.MODEL, "AI under swap": Access.INTERVENE, "DEV under devalued": Access.INTERVENE}
EXACT = ("empowerment", "AI under swap", "DEV under devalued")
MADE = {"versions": {"agentic": "0.1.0"}, "git": {"commit": "c0ffee", "dirty": True}, "code": "ab" * 32}
MISSING = ("rock", "empowerment", "does not apply: rock has no channel & <none>")


def run_folder(path: Path, *, seed: int = 0, world: str = "maze", agent: str = "energy") -> Path:
    """The folder of a real run, small enough for a test, with two measurements."""
    written(path, tables(world, agent, seed))
    found = [measured("policy_complexity", 0.5162), measured("AI under swap", 1.0)]
    write(path / "measurements.json", {"measurements": {each.metric: each.to_dict() for each in found}, "missing": {}})
    return path


def bench_folder(path: Path, *, status: str = "finished", seeds: int = 2) -> Path:
    """The folder of a bench of five agents in two worlds: a planner, its clone, chance, a rock and a strange name."""
    for world in WORLDS:
        for label, agent in AGENTS.items():
            for seed in range(seeds):
                unit = unit_folder(path, world, label, seed)
                if label == "clone":
                    copytree(unit_folder(path, world, "planner-40", seed), unit)
                else:
                    written(unit, tables(world, agent, seed))
    return bench_cells(path, status=status, seeds=seeds)


def bench_cells(
    path: Path, *, status: str = "finished", seeds: int = 2, scores: Mapping[str, tuple[float, ...]] = SCORES
) -> Path:
    """The same folder without the runs: what was measured, the table of it, and the bench's file."""
    for world in WORLDS:
        for place, label in enumerate(AGENTS):
            for seed in range(seeds):
                unit = unit_folder(path, world, label, seed)
                unit.mkdir(parents=True, exist_ok=True)
                write(unit / "measurements.json", unit_results(label, place))
    cells = [
        cell(world, label, column, values[place])
        for world in WORLDS
        for place, label in enumerate(AGENTS)
        for column, values in scores.items()
    ]
    write(path / "cells.json", {"agents": [*AGENTS], "metrics": [*SCORES], "worlds": [*WORLDS], "cells": cells})
    write(path / "manifest.json", {"status": status, "started": 1.8e9, "seconds": 12.5, **MADE})
    (path / "battery.toml").write_text(battery(seeds), encoding="utf-8")
    return path


def unit_folder(path: Path, world: str, label: str, seed: int) -> Path:
    """Where an agent's run in a world is."""
    return path / "units" / slug(world) / slug(label) / f"seed-{seed}"


def tables(world: str, agent: str, seed: int) -> dict[str, Any]:
    """The experiment of an agent in a world."""
    made = {**WORLDS[world], "run": {"seed": seed}}
    if agent != "energy":
        made = {key: made[key] for key in ("run", "env", "evaluate")} | {"agent": {"name": agent}}
    return made


def written(folder: Path, experiment: Mapping[str, Any]) -> None:
    """Run an experiment and record it."""
    folder.mkdir(parents=True)
    build(Experiment.of(experiment), REGISTRY).run(folder)


def unit_results(label: str, place: int) -> dict[str, Any]:
    """The measurements.json of one unit."""
    found = {c: measured(c, values[place]).to_dict() for c, values in SCORES.items() if (label, c) != MISSING[:2]}
    missing = {MISSING[1]: MISSING[2]} if label == MISSING[0] else {}
    return {"measurements": found, "missing": missing, "broken": [], "key": "by hand"}


def measured(column: str, value: float) -> Measurement:
    """The measurement of a value of a column."""
    exact, null = column in EXACT, NULLS.get(column)
    frame = Frame(("obs", "action"), "the agent chooses actions", None, "reward", "resets", ("swap",) if exact else ())
    return Measurement(
        metric=NAMES.get(column, column),
        value=value,
        unit="reward" if column == "episode_return" else "bits",
        access=ACCESS.get(column, Access.RECORDS),
        frame=frame,
        estimator="by hand",
        interval=None if exact else Interval(0.95, value - 0.05, value + 0.05, "Student t over episodes"),
        null=Null("shuffled", *null, 1 if exact else 199, 0.4 if abs(value) < 0.05 else 0.005) if null else None,
        samples=0 if exact else 40,
        episodes=0 if exact else 3,
    )


def cell(world: str, label: str, column: str, value: float) -> dict[str, Any]:
    """One cell as the bench writes it."""
    if (label, column) == MISSING[:2]:
        empty = dict.fromkeys(("value", "low", "high", "null", "null_low", "null_high", "p_value"))
        own = {"agent": label, "world": world, "metric": column, "unit": "bits"}
        return own | empty | {"verdict": "undefined", "exact": False, "seeds": 0, "note": MISSING[2]}
    found = measured(column, value)
    null, interval = found.null, found.interval
    verdict = "no null" if null is None else "outside the null" if found.outside_null else "inside the null"
    return {
        "agent": label,
        "world": world,
        "metric": column,
        "value": found.value,
        "low": interval and interval.low,
        "high": interval and interval.high,
        "null": null and null.mean,
        "unit": found.unit,
        "null_low": null and null.mean - 1.96 * null.sd,
        "null_high": null and null.mean + 1.96 * null.sd,
        "p_value": null and null.p_value,
        "verdict": verdict,
        "exact": interval is None,
        "seeds": 2,
        "note": None,
    }


def battery(seeds: int) -> str:
    """The resolved file of the bench."""
    lines = ["[bench]", 'name = "battery"', 'about = "Five agents in two worlds."', f"seeds = {seeds}"]
    for world, experiment in WORLDS.items():
        lines += ["[[worlds]]", f"name = {toml_value(world)}", f"id = {toml_value(experiment['env']['id'])}"]
        lines += [f"about = {toml_value(f'What {world} is.')}"]
    for label, agent in AGENTS.items():
        lines += ["[[agents]]", f"label = {toml_value(label)}", f"name = {toml_value(agent)}"]
    for column in SCORES:
        label, _, under = column.partition(" under ")
        lines += ["[[metrics]]", f"label = {toml_value(label)}", f"name = {toml_value(NAMES.get(column, column))}"]
        lines += [f"under = [{toml_value(under)}]"] if under else []
    for change in ("swap", "devalued"):
        lines += ["[[interventions]]", f"label = {toml_value(change)}", 'name = "remap_actions"', "order = [1, 0]"]
    return "\n".join(lines) + "\n"


def write(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON file."""
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
