"""Sweeps carried out: runs as jobs, what is done already left alone, and tables that grow as they go."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from json import dumps
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, final

from agentic import Agent, Experiment, build
from agentic.errors import UserError, attempt
from agentic.experiments import agent_path, limited
from agentic.jobs import (
    Executor,
    Observer,
    at_work,
    carry_out,
    executor_of,
    file_hashes,
    left,
    newest,
    source_hash,
)
from agentic.plugins import Registry, load
from agentic.runs import RunFolder, create_folder, is_own, toml_table
from agentic_sweep.adaptive import batches
from agentic_sweep.table import Swept, row
from agentic_sweep.tables import Range, SweepFile, Values
from agentic_sweep.unit import SweptRun

FILE = "sweep.toml"
BUILT = 3  # experiments that are built before anything runs: what is wrong with all is said once
BETWEEN = 0.5  # seconds between two writings of the tables


def carried_out_sweep(
    chosen: SweepFile,
    folder: str | Path | None = None,
    *,
    workers: int | None = None,
    files: Sequence[str | Path] = (),
    executor: str | Executor = "processes",
    observer: Observer | None = None,
    out: str | Path = "runs",
    fresh: bool = False,
) -> Swept:
    """The runs of a sweep, one for each choice of values and each seed, carried out by an executor.

    Without `folder` the sweep has one of its own in `out`, and goes on in the newest of the same sweep unless it is
    `fresh`. Runs that were done there before, by the same sources and from the same tables and files, are not done
    again; the tables depend neither on that, on the executor nor on the number of its `workers`. `files` are plugins by
    path. What breaks costs its own line. Raises UserError before anything runs for what does not fit; RunError where
    the folder cannot be written.
    """
    crew, registry = executor_of(executor, workers=workers), load(files)
    check(chosen, registry)
    make = _maker(chosen, registry, tuple(map(str, files)))
    place = sweep_folder(chosen, out, fresh=fresh) if folder is None else Path(folder)
    if is_own(RunFolder(place).experiment_file):
        raise UserError(f"{place} is the folder of a run, not of a sweep: give another one")
    going = _Going(chosen, place)
    with at_work(place / FILE, chosen.to_toml(), crew, going.write) as found:
        for unit, count, known in _carried_out(chosen, going, crew, make):
            if observer is not None:
                observer(unit, count, known)
        found |= {"runs": len(going.rows), "failed": len(going.swept.failed)}
    return going.swept


def check(chosen: SweepFile, registry: Registry) -> list[Experiment]:
    """The experiments that are known before anything runs, each with a name of an agent. Raises UserError."""
    table = chosen.table
    if table.search == "optuna":  # which may come to ask for any value, beside those of others
        tried = next(batches(table, lambda _: None))
        listed = [
            (name, each) for name, values in table.values.items() if not isinstance(values, Range) for each in values
        ]
        tried += [{**tried[0], name: each} for name, each in listed]
    else:
        tried = table.tried()
    known = [chosen.experiment(values, table.chosen[0]) for values in tried]
    for each in known:
        if not agent_path(each.agent.name):  # a file is run in processes of its own
            registry.find(Agent, each.agent.name, "[agent]")
    return known


def check_built(chosen: SweepFile, registry: Registry) -> None:
    """Check, and build the first few experiments. Raises UserError for what each of these cannot be built for."""
    reasons = list[str]()
    for each in check(chosen, registry)[:BUILT]:
        if (reason := _unfit(each, registry)) is None:
            return
        reasons.append(str(reason))
    if len({*reasons}) == 1:
        raise UserError(reasons[0])


def _unfit(experiment: Experiment, registry: Registry) -> UserError | None:
    """Why an experiment cannot be built; None where it can, or is built in processes of its own."""
    if agent_path(experiment.agent.name):
        return None
    built = attempt(lambda: build(limited(experiment, registry), registry))
    if isinstance(built, Exception):
        return built if isinstance(built, UserError) else None
    built.environment.close()
    return None


def sweep_folder(chosen: SweepFile, out: str | Path, *, fresh: bool = False) -> Path:
    """The newest folder of this very sweep in `out`, to go on with; a new one where there is none, or `fresh`.

    A sweep with another `time_limit` is the same.
    """
    tables = tomllib.loads(chosen.to_toml())
    found = None if fresh else newest(out, "sweep", tables, lambda path: toml_table(path / FILE))
    return found or create_folder(out, f"sweep-{chosen.table.name}")


def _maker(chosen: SweepFile, registry: Registry, files: tuple[str, ...]) -> Callable[[Values, int], SweptRun]:
    """A function from values and a seed to the run with these."""
    code_of = cache(lambda worlds: source_hash(registry, worlds))

    def make(values: Values, seed: int) -> SweptRun:
        experiment = chosen.experiment(values, seed)
        tables, code = experiment.tables(), code_of(frozenset(experiment.env.names))
        key = sha256(dumps([tables, code, *file_hashes(tables)], sort_keys=True, default=str).encode()).hexdigest()
        return SweptRun(values, seed, experiment, key, files)

    return make


@final
class _Going:
    """The table of a sweep while it goes on: rows are read once, and written now and then."""

    def __init__(self, chosen: SweepFile, place: Path) -> None:
        self.place, self.settings = place, tuple(chosen.table.values)
        self.rows: dict[Path, dict[str, Any]] = {}
        self._written = -inf

    def add(self, units: Sequence[SweptRun]) -> list[SweptRun]:
        """Take up units, those that are there twice once, and return those that are not done."""
        once = list({unit.place: unit for unit in units}.values())
        waiting = {unit.place for unit in left(once, self.place)}
        self.rows |= {unit.place: row(unit, self.place, waits=unit.place in waiting) for unit in once}
        return [unit for unit in once if unit.place in waiting]

    def hear(self, unit: SweptRun) -> None:
        """Take up what became of a unit, and write the tables unless that was done just now."""
        self.rows[unit.place] = row(unit, self.place)
        if monotonic() - self._written > BETWEEN:
            self.write()
            self._written = monotonic()

    def write(self) -> None:
        """Write the tables as they are."""
        self.swept.write(self.place)

    @property
    def swept(self) -> Swept:
        """The table as it is."""
        return Swept(self.settings, tuple(self.rows.values()), self.place)

    def worth(self, values: Mapping[str, Any]) -> float | None:
        """The mean return of a choice of values; None where a seed failed."""
        wanted = repr([values[name] for name in self.settings])  # 1, 1.0 and true are equal, and other values
        found = (each for each in self.swept.choices if repr([each[name] for name in self.settings]) == wanted)
        return next((each["return"] for each in found if not each["failed"]), None)


def _carried_out(
    chosen: SweepFile, going: _Going, crew: Executor, make: Callable[[Values, int], SweptRun]
) -> Iterator[tuple[SweptRun, int, int]]:
    """Each run once it ended, how many have, of how many; what was done before is left alone."""
    table = chosen.table
    for tried in batches(table, going.worth) if table.search == "optuna" else [table.tried()]:
        todo = going.add([make(values, seed) for values in tried for seed in table.chosen])
        known = len(going.rows) if table.search != "optuna" else table.trials * len(table.chosen)
        done = len(going.rows) - len(todo)
        for count, unit in enumerate(carry_out(todo, going.place, crew, table.time_limit), done + 1):
            assert isinstance(unit, SweptRun)
            going.hear(unit)
            yield unit, count, known
