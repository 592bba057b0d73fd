"""Benches carried out: tasks as jobs, what is done already left alone, and the table of all."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from agentic import Agent
from agentic.experiments import agent_path
from agentic.jobs import (
    Executor,
    Observer,
    at_work,
    carry_out,
    executor_of,
    left,
    newest,
    source_hash,
    writing,
)
from agentic.plugins import Registry, load
from agentic.runs import create_folder, write_whole
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
    code = source_hash(registry, {name for task in tasks for name in task.experiment.env.names})
    every = [Measuring(task, task.key(code), tuple(files)) for task in tasks]
    file, seeds = BenchFolder(place).file, battery.bench.chosen

    def write() -> None:
        Scores.of(battery, place).write(place)

    with at_work(file, battery.to_toml(), crew, write, code=code, seeds=seeds) as found:
        todo = left(every, place)
        for count, unit in enumerate(carry_out(todo, place, crew, limit), len(every) - len(todo) + 1):
            if observer is not None:
                observer(unit, count, len(every))
        found |= {"tasks": len(every), "done_now": len(todo)}
    return Scores.of(battery, place)


def bench_folder(battery: Battery, out: str | Path, *, fresh: bool = False) -> Path:
    """The newest folder of this very battery in `out`, to go on with; a new one where there is none, or `fresh`.

    A battery with another `time_limit` is the same.
    """
    tables = tomllib.loads(battery.to_toml())
    found = None if fresh else newest(out, "bench", tables, lambda path: BenchFolder(path).settings)
    if found is not None:
        return found
    folder = create_folder(out, f"bench-{battery.bench.name}")
    with writing(folder):
        write_whole(
            BenchFolder(folder).file, battery.to_toml()
        )  # at once, so that it is found again even if nothing else comes to be
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
