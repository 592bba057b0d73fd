"""Benches carried out: tasks as jobs, what is done already left alone, and the table of all."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentic import Agent
from agentic.experiments import agent_path
from agentic.jobs import (
    Executor,
    Observer,
    UnitFolder,
    alone,
    carry_out,
    executor_of,
    left,
    newest,
    source_hash,
    writing,
)
from agentic.plugins import Registry, load
from agentic.runs import Manifest, RunFolder, create_folder, describe, write_whole
from agentic_bench.bench_file import Battery
from agentic_bench.cells import Scores
from agentic_bench.folder import BenchFolder
from agentic_bench.task import Measuring


def carried_out_bench(
    battery: Battery,
    folder: str | Path,
    *,
    workers: int | None = None,
    files: Sequence[str] = (),
    observer: Observer | None = None,
    executor: str | Executor = "processes",
) -> Scores:
    """The scores of every agent of the battery in its worlds, measured by an executor and written to `folder`.

    `folder` is the bench's own, made where it is missing. Tasks that were done there before, by the same sources and
    from the same tables and files, are not done again; the result does not depend on that, on the executor nor on the
    number of its `workers`. `files` are plugins by path. What breaks costs its own cells, and so does a task whose
    process ends or takes longer than the battery's `time_limit`. Raises UserError before anything runs, for metrics and
    interventions that do not fit or a folder in which another bench is at work; RunError where the folder cannot be
    written; what is done by then stays.
    """
    crew = executor_of(executor, workers=workers)
    place, registry, tasks, limit = Path(folder), load(files), battery.tasks(), battery.bench.time_limit
    check(battery, registry)
    worlds = [task.experiment.env for task in tasks]
    wrappers = {wrapper.name for world in worlds for wrapper in world.wrappers}
    code = source_hash(registry, {world.id for world in worlds} | wrappers)
    every = [Measuring(task, task.key(code), tuple(files)) for task in tasks]
    with alone(place):
        todo = left(every, place)
        UnitFolder(place).check_writable()
        _write(place, battery)
        content = {
            **describe(),
            "code": code,
            "seeds": battery.bench.chosen,
            "workers": crew.workers,
            "executor": crew.name,
        }
        manifest = Manifest(RunFolder(place), content)
        try:
            for count, unit in enumerate(carry_out(todo, place, crew, limit), len(every) - len(todo) + 1):
                if observer is not None:
                    observer(unit, count, len(every))
        except BaseException as error:
            Scores.of(battery, place).write(place)
            manifest.finish("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        scores = Scores.of(battery, place)
        scores.write(place)
        manifest.finish("finished", tasks=len(every), done_now=len(todo))
        return scores


def bench_folder(battery: Battery, out: str | Path, *, fresh: bool = False) -> Path:
    """The newest folder of this very battery in `out`, to go on with; a new one where there is none, or `fresh`.

    A battery with another `time_limit` is the same: no result depends on it.
    """
    wanted = _identity(tomllib.loads(battery.to_toml()))
    found = None if fresh else newest(out, "bench", lambda path: _identity(BenchFolder(path).settings) == wanted)
    if found is not None:
        return found
    folder = create_folder(out, f"bench-{battery.bench.name}")
    _write(folder, battery)  # at once, so that it is found again even if nothing else comes to be
    return folder


def check(battery: Battery, registry: Registry) -> None:
    """Check what a battery names.

    Raises UserError for an agent that is unknown, and for a metric or an intervention that is, or does not fit.
    """
    for name in dict.fromkeys(task.experiment.agent.name for task in battery.tasks()):
        if not agent_path(name):  # a file is run in processes of its own
            registry.find(Agent, name, "[[agents]]")
    for column in [column for world in battery.worlds for column, _ in battery.columns(world.name)]:
        column.probe(registry)


def _write(folder: Path, battery: Battery) -> None:
    with writing(folder):
        write_whole(BenchFolder(folder).file, battery.to_toml())


def _identity(tables: Mapping[str, Any]) -> str:
    """The tables of a battery as a text, which tells apart those whose results may differ."""
    others = {name: table for name, table in tables.items() if name != "bench"}
    bench = tables.get("bench")
    kept = {key: value for key, value in bench.items() if key != "time_limit"} if isinstance(bench, Mapping) else bench
    return repr((kept or None, others))
