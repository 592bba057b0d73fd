"""Benches carried out: tasks in processes of their own, what is done already left alone, and the table of all."""

import os
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentic import Agent
from agentic.errors import RunError, UserError
from agentic.experiments import agent_path
from agentic.metrics import Result
from agentic.plugins import Registry, load
from agentic.runs import Manifest, RunFolder, create_folder, describe, forget_parts, number_of, write_whole
from agentic_bench.bench_file import Battery
from agentic_bench.cells import Scores
from agentic_bench.folder import BenchFolder, writing
from agentic_bench.lock import alone
from agentic_bench.sources import source_hash
from agentic_bench.task import Task
from agentic_bench.workers import carried_out

Observer = Callable[[Task, int, int], None]  # the task that is done, how many are, of how many

SINGLE = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def carried_out_bench(
    battery: Battery,
    folder: str | Path,
    *,
    workers: int = 1,
    files: Sequence[str] = (),
    observer: Observer | None = None,
) -> Scores:
    """The scores of every agent of the battery in its worlds, measured in `workers` processes and written to `folder`.

    `folder` is the bench's own, made where it is missing. Tasks that were done there before, by the same sources and
    from the same tables and files, are not done again; the result does not depend on that nor on the number of workers.
    `files` are plugins by path. What breaks costs its own cells, and so does a task whose process ends or takes longer
    than the battery's `time_limit`. Raises UserError before anything runs, for metrics and interventions that do not
    fit or a folder in which another bench is at work; RunError where the folder cannot be written; what is done by then
    stays.
    """
    if workers < 1:
        raise UserError(f"workers must be at least 1, got {workers}")
    place, registry, tasks, limit = Path(folder), load(files), battery.tasks(), battery.bench.time_limit
    check(battery, registry)
    worlds = [task.experiment.env for task in tasks]
    wrappers = {wrapper.name for world in worlds for wrapper in world.wrappers}
    code = source_hash(registry, {world.id for world in worlds} | wrappers)
    keyed = [(task, task.key(code)) for task in tasks]
    with alone(place):
        left = [(task, key) for task, key in keyed if not _is_done(place / task.folder, key)]
        _prepare(place, battery, [task for task, _ in left])
        content = {**describe(), "code": code, "seeds": battery.bench.chosen, "workers": workers}
        manifest = Manifest(RunFolder(place), content)
        try:
            for count, task in enumerate(_carried_out(left, place, workers, files, limit), len(keyed) - len(left) + 1):
                if observer is not None:
                    observer(task, count, len(keyed))
        except BaseException as error:
            Scores.of(battery, place).write(place)
            manifest.finish("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        scores = Scores.of(battery, place)
        scores.write(place)
        manifest.finish("finished", tasks=len(keyed), done_now=len(left))
        return scores


def bench_folder(battery: Battery, out: str | Path, *, fresh: bool = False) -> Path:
    """The newest folder of this very battery in `out`, to go on with; a new one where there is none, or `fresh`.

    A battery with another `time_limit` is the same: no result depends on it.
    """
    wanted = _identity(tomllib.loads(battery.to_toml()))
    if not fresh:
        for path in sorted(Path(out).glob("[0-9][0-9][0-9][0-9]*-bench-*"), key=number_of, reverse=True):
            if _identity(BenchFolder(path).settings) == wanted:
                return path
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


def _prepare(folder: Path, battery: Battery, left: Sequence[Task]) -> None:
    """Write the resolved file; leave nothing that a killed bench had half written, and no result that holds no more."""
    BenchFolder(folder).check_writable()
    _write(folder, battery)
    with writing(folder):
        forget_parts(folder)
        for draft in BenchFolder(folder).drafts():
            shutil.rmtree(draft, ignore_errors=True)
        for task in left:
            RunFolder(folder / task.folder).measurements_file.unlink(missing_ok=True)


def _write(folder: Path, battery: Battery) -> None:
    with writing(folder):
        write_whole(BenchFolder(folder).file, battery.to_toml())


def _identity(tables: Mapping[str, Any]) -> str:
    """The tables of a battery as a text, which tells apart those whose results may differ."""
    others = {name: table for name, table in tables.items() if name != "bench"}
    bench = tables.get("bench")
    kept = {key: value for key, value in bench.items() if key != "time_limit"} if isinstance(bench, Mapping) else bench
    return repr((kept or None, others))


def _is_done(folder: Path, key: str) -> bool:
    found = Result.read(folder)
    return found is not None and found.key == key


def _carried_out(
    tasks: Sequence[tuple[Task, str]], folder: Path, workers: int, files: Sequence[str], limit: float
) -> Iterator[Task]:
    """Each task once it is done. Workers compute with one thread: the order of sums must not depend on the machine.

    One that is lost, because its process ended or took longer than `limit` seconds, is broken, and done anew the next
    time.
    """
    with _one_thread():
        jobs = [(task, folder, key, tuple(files)) for task, key in tasks]
        for (task, *_), reason in carried_out(jobs, workers, limit):
            if reason:
                with writing(folder):
                    shutil.rmtree(BenchFolder(folder).draft(task.label), ignore_errors=True)
                    shutil.rmtree(folder / task.folder, ignore_errors=True)
                    (folder / task.folder).mkdir(parents=True)
                broken = RunError(f"it broke, {reason}")
                Result.of(dict.fromkeys([column.label for column in task.columns], broken), "").keep(
                    folder / task.folder
                )
            yield task


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started inside inherit it."""
    before = {name: os.environ.get(name) for name in SINGLE}
    os.environ.update(SINGLE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
