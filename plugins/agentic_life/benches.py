"""Benches carried out again: what their folders hold, and every cell compared."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import agentic
from agentic import Experiment, UserError
from agentic.cli import check_trusted, find_nearby, say
from agentic.experiments import EnvTable
from agentic.plugins import Registry
from agentic.runs import RunFolder, is_own, json_table, toml_table, unsealed
from agentic_life.comparing import Compared, compare_tables
from agentic_life.differences import differences
from agentic_life.reproduction import Reproduction

FILE, CELLS = "battery.toml", "cells.json"
WORDS = ("label", "about", "worlds", "under")  # keys of a bench file that name nothing but its own tables
ESTIMATED = ("value", "low", "high", "null", "null_low", "null_high", "exact", "seeds", "unit")
JUDGED = ("p_value", "verdict", "note")
SECONDS = 5.0  # between lines of progress


def is_bench(folder: Path) -> bool:
    """Whether a bench left its file or its table here."""
    return is_own(folder / CELLS) or "worlds" in toml_table(folder / FILE)


def bench_again(name: str, folder: Path, place: Path, registry: Registry, *, trust: bool, quiet: bool) -> Reproduction:
    """The reproduction of the bench in a folder, carried out again in `place`.

    Raises UserError for what cannot be carried out again, RunError where that fails.
    """
    tables, then = toml_table(folder / FILE), RunFolder(folder).manifest
    if "worlds" not in tables:
        raise UserError(f"{folder / FILE} cannot be read as a bench file: the bench cannot be carried out again")
    if unsealed(json_table(folder / CELLS)) is None:
        raise UserError(f"{folder / CELLS} is damaged: its checksum is not that of what it says")
    cells = dict(_cells(folder))
    if not cells:
        raise UserError(f"{folder} has no table of cells yet that could be compared: let the bench go on first")
    _check(tables, registry, folder / FILE, trust=trust)
    plugins = [row.location for row in registry.rows if row.source == "file"]
    agentic.bench(tables, place, files=plugins, observer=None if quiet else _lines())
    finished, again = then.get("status") == "finished", dict(_cells(place))
    notes = [] if finished else ["the bench did not finish: cells over as many seeds as now are compared"]
    compared = [_compared(key, cells[key], again.get(key, {}), finished) for key in cells]
    compared += [Compared("cell", _title(key), 1, 1, note="only now") for key in again if key not in cells]
    kept = [each for each in compared if each is not None]
    if not kept:
        raise UserError(f"{folder} holds no cell over as many seeds as its file asks for: let the bench go on first")
    return Reproduction(name, tuple(differences(then, RunFolder(place).manifest)), tuple(kept), tuple(notes))


def _compared(key: tuple[str, ...], then: Mapping[str, Any], now: Mapping[str, Any], finished: bool) -> Compared | None:
    """The comparison of a cell; None of one that an unfinished bench did not finish, whose verdicts are others too."""
    if not finished and then.get("seeds") != now.get("seeds"):
        return None
    return compare_tables("cell", _title(key), then, now, (*ESTIMATED, *JUDGED) if finished else ESTIMATED)


def _title(key: tuple[str, ...]) -> str:
    return ", ".join(key)


def _cells(folder: Path) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The cells of a bench by world, agent and metric."""
    found = (unsealed(json_table(folder / CELLS)) or {}).get("cells")
    for cell in found if isinstance(found, list) else ():
        if isinstance(cell, dict):
            yield tuple(str(cell.get(part)) for part in ("world", "agent", "metric")), cell


def _check(tables: Mapping[str, Any], registry: Registry, file: Path, *, trust: bool) -> None:
    """Check that a bench file from a folder asks for nothing to be run that only it names; see `check_trusted`.

    Each of its worlds is looked at as that of an experiment, whose agent is given all other tables.
    """
    kinds = ("agents", "metrics", "interventions")
    parts = [table for kind in kinds for table in _tables(tables.get(kind))]
    given = [{key: part for key, part in table.items() if key not in WORDS} for table in parts]
    for world in _tables(tables["worlds"]):
        env = {key: world[key] for key in EnvTable.model_fields if key in world}
        experiment = Experiment.of({"env": env, "agent": {"name": "any", "given": given}}, source=f"{file}: ")
        check_trusted(experiment, registry, str(file), trust=trust)
        find_nearby([experiment.env.id, *(wrapper.name for wrapper in experiment.env.wrappers)])


def _tables(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _lines() -> Callable[[Any, int, int], None]:
    """The observer of a bench that tells now and then in one line what is done."""
    last = monotonic()

    def observe(task: Any, done: int, total: int) -> None:
        nonlocal last
        if monotonic() - last >= SECONDS or done == total:
            last = monotonic()
            say(f"{done} of {total} done: {task.label}", err=True)

    return observe
