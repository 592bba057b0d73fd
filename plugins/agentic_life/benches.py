"""Benches carried out again: what their folders hold, and every cell compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentic import Experiment, UserError
from agentic.cli import check_trusted, find_nearby, following
from agentic.experiments import EnvTable
from agentic.plugins import Registry
from agentic_bench import Battery, BenchFolder, Scores, bench
from agentic_life.comparing import Compared, compare_tables
from agentic_life.differences import differences
from agentic_life.reproduction import Reproduction

WORDS = ("label", "about", "worlds", "under")  # keys of a bench file that name nothing but its own tables
ESTIMATED = ("value", "low", "high", "null", "null_low", "null_high", "exact", "seeds", "unit")
JUDGED = ("p_value", "verdict", "note")


def is_bench(folder: Path) -> bool:
    """Whether a bench left its file, its table or its runs here."""
    found = BenchFolder(folder)
    return found.holds_bench or "worlds" in found.settings


def bench_again(name: str, folder: Path, place: Path, registry: Registry, *, trust: bool, quiet: bool) -> Reproduction:
    """The reproduction of the bench in a folder, carried out again in `place`.

    Raises UserError for what cannot be carried out again, RunError where that fails.
    """
    found = BenchFolder(folder)
    tables, then = found.settings, found.manifest
    if not (tables or found.file.exists() or found.cells_file.exists()):
        raise UserError(f"{folder} is no bench, but the folder of many runs, as of a sweep: reproduce one of these")
    if "worlds" not in tables:
        raise UserError(f"{found.file} cannot be read as a bench file: the bench cannot be carried out again")
    _check(tables, registry, found.file, trust=trust)
    battery = Battery.of(tables, source=f"{found.file}: ")
    if found.cells_file.exists() and not found.cells:
        raise UserError(f"{found.cells_file} is damaged: it is not what the bench wrote")
    written = found.cells and then.get("status") != "running"  # else it did not live to write its own
    cells = _by_key(found.cells if written else Scores.of(battery, folder).to_dict())
    finished = then.get("status") == "finished"
    if not (finished or any(each.get("seeds") for each in cells.values())):
        raise UserError(f"{folder} holds no cell yet that could be compared: let the bench go on first")
    with following(None, quiet=quiet) as observer:
        again = _by_key(bench(battery, place, files=registry.files, observer=observer).to_dict())
    notes = [] if finished else ["the bench did not finish: cells over as many seeds as now are compared"]
    compared = [_compared(key, cells[key], again.get(key, {}), finished) for key in cells]
    compared += [Compared("cell", _title(key), 1, 1, note="only now") for key in again if key not in cells]
    kept = [each for each in compared if each is not None]
    if not kept:
        raise UserError(f"{folder} holds no cell over as many seeds as its file asks for: let the bench go on first")
    return Reproduction(name, tuple(differences(then, BenchFolder(place).manifest)), tuple(kept), tuple(notes))


def _compared(key: tuple[str, ...], then: Mapping[str, Any], now: Mapping[str, Any], finished: bool) -> Compared | None:
    """The comparison of a cell; None of one that an unfinished bench did not finish, whose verdicts are others too."""
    if not finished and then.get("seeds") != now.get("seeds"):
        return None
    return compare_tables("cell", _title(key), then, now, (*ESTIMATED, *JUDGED) if finished else ESTIMATED)


def _title(key: tuple[str, ...]) -> str:
    return ", ".join(key)


def _by_key(table: Mapping[str, Any]) -> dict[tuple[str, ...], Mapping[str, Any]]:
    """The cells of a table by world, agent and metric."""
    keys = ("world", "agent", "metric")
    return {tuple(str(cell.get(key)) for key in keys): cell for cell in _tables(table.get("cells"))}


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
        find_nearby(experiment.env.names)


def _tables(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
