"""A battery carried out: its tasks in processes of their own, what is done already left alone, and the table of all."""

import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from time import sleep

import torch

from agentic.battery.cells import Scores
from agentic.battery.tables import Battery
from agentic.battery.task import Result, Task, carry_out
from agentic.errors import RunError, UserError
from agentic.manifest import Manifest, create_folder, describe
from agentic.plugins import Registry, load

Observer = Callable[[Task, int, int], None]  # the task that is done, how many are, of how many

FILE = "battery.toml"
SINGLE = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def bench(
    battery: Battery,
    folder: str | Path,
    *,
    workers: int = 1,
    files: Sequence[str] = (),
    observer: Observer | None = None,
) -> Scores:
    """Measure every agent of the battery in its worlds, in `workers` processes, and write all that was found.

    `folder` is the bench's own, made where it is missing. Tasks that were done there before, by the same sources and
    from the same tables, are not done again; the result does not depend on that nor on the number of workers. `files`
    are plugins by path. What breaks costs its own cells. Raises UserError before anything runs, RunError where a
    process dies or the folder cannot be written; what is done by then stays.
    """
    if workers < 1:
        raise UserError(f"workers must be at least 1, got {workers}")
    place, code = Path(folder), source_digest(load(files))
    keyed = [(task, task.key(code)) for task in battery.tasks()]
    left = [(task, key) for task, key in keyed if not _is_done(place / task.folder, key)]
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / FILE).write_text(battery.to_toml(), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write the bench folder {place}: {error.strerror}; give another one") from error
    said = describe(battery.bench.chosen[0], getattr(torch, battery.run.dtype), [])
    content = {key: said[key] for key in ("versions", "platform", "git")}
    manifest = Manifest(place, {**content, "code": code, "seeds": battery.bench.chosen, "workers": workers})
    try:
        for count, task in enumerate(_carried_out(left, place, workers, files), len(keyed) - len(left) + 1):
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
    """The newest folder of this very battery in `out`, to go on with; a new one where there is none, or `fresh`."""
    text = battery.to_toml()
    if not fresh:
        for path in sorted(Path(out).glob("[0-9][0-9][0-9][0-9]-bench-*"), reverse=True):
            if (path / FILE).is_file() and (path / FILE).read_text(encoding="utf-8") == text:
                return path
    return create_folder(out, f"bench-{battery.bench.name}")


def source_digest(registry: Registry) -> str:
    """A SHA-256 of everything a number depends on but its tables: our sources, plugins, and versions of libraries."""
    said = hashlib.sha256()
    targets = [str(each.target) for each in registry.components if each.source == "built-in"]
    for package in sorted({"agentic", *(target.partition(":")[0].partition(".")[0] for target in targets)}):
        spec = find_spec(package)
        root = Path(str(spec and spec.origin)).parent
        for file in sorted(root.rglob("*.py")):
            said.update(f"{package}/{file.relative_to(root)}\n".encode() + file.read_bytes())
    for component in registry.components:
        if component.source != "built-in":
            said.update(f"{component.full_name} {component.version} {component.sha256}\n".encode())
    for library in ("torch", "numpy", "scipy", "gymnasium", "stable-baselines3"):
        said.update(f"{library} {_version(library)}\n".encode())
    return said.hexdigest()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _is_done(folder: Path, key: str) -> bool:
    found = Result.read(folder)
    return found is not None and found.key == key


def _carried_out(tasks: Sequence[tuple[Task, str]], folder: Path, workers: int, files: Sequence[str]) -> Iterator[Task]:
    """Each task once it is done. Workers compute with one thread: the order of sums must not depend on the machine."""
    if not tasks:
        return
    spawn = multiprocessing.get_context("spawn")
    with (
        _one_thread(),
        ProcessPoolExecutor(min(workers, len(tasks)), spawn, initializer=_attend, initargs=(os.getpid(),)) as pool,
    ):
        futures = {pool.submit(carry_out, task, folder, key, tuple(files)): task for task, key in tasks}
        try:
            for future in as_completed(futures):
                future.result()
                yield futures[future]
        except BrokenProcessPool as error:
            raise RunError(
                "a worker process was ended from outside (too little memory?); run again to go on"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise


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


def _attend(parent: int) -> None:
    """In a worker: Ctrl-C is the parent's business, and nothing goes on after the parent was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_outlive_nobody, args=(parent,), daemon=True).start()


def _outlive_nobody(parent: int) -> None:
    while os.getppid() == parent:
        sleep(0.2)
    os._exit(1)
