"""Runs that are measured once: one file for each, found again by what it depends on."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import active_children, get_context
from os import _exit, getpid, getppid
from pathlib import Path
from platform import python_version
from signal import SIG_IGN, SIGINT, signal
from threading import Thread
from time import process_time, sleep
from typing import Any, final

import torch

from agentic import Experiment, RunError, UserError
from agentic.jobs import keep_freed_memory
from agentic.runs import json_table, write_whole

from . import ours, peers
from .protocol import Look, Task, enough, first, stays

ROOT = Path(__file__).parents[2]
OURS = "agentic"
Row = dict[str, Any]  # a job, and what was measured


@final
@dataclass(frozen=True)
class Job:
    """One seed of one learner on one task: `agentic` by a resolved experiment, any other by its `settings`."""

    name: str
    task: Task
    seed: int
    learner: str = OURS
    variant: str = ""
    experiment: Experiment | None = None
    settings: peers.Settings | None = None

    @classmethod
    def ours(
        cls, name: str, task: Task, seed: int, file: Path, settings: Sequence[str] = (), variant: str = ""
    ) -> "Job":
        """Our agent by the file of all tasks, with `settings` changed. Raises UserError where they do not fit."""
        return cls(name, task, seed, OURS, variant, ours.experiment(task, file, settings, seed))

    @classmethod
    def peer(cls, name: str, task: Task, seed: int, learner: str, settings: peers.Settings) -> "Job":
        """A learner of Stable-Baselines3, looked at every 1,000 steps up to 20,000."""
        seldom = replace(task, settings=(), every=peers.EVERY, wanted=peers.CAP, cap=peers.CAP)
        return cls(name, seldom, seed, learner, settings=settings)

    @cached_property
    def key(self) -> str:
        """The hash of everything that the outcome depends on; of other packages their settings alone.

        Asked for before a run begins, it goes along to the worker: sources changed meanwhile are not those that ran.
        """
        table = None if self.experiment is None else self.experiment.tables()
        protocol = {
            name: part for name, part in asdict(self.task).items() if name not in ("settings", "file", "wanted")
        }
        depends = [protocol, self.seed, self.learner, table, self.settings]
        code = "" if self.experiment is None else code_hash()
        return _hash(json.dumps(depends, sort_keys=True, default=str).encode(), code.encode())

    @property
    def file(self) -> str:
        """The name of the file it is kept in, whatever it is a variant of."""
        parts = (self.learner, self.name, f"seed {self.seed}", self.key)
        return "-".join(part.replace(",", "").replace(" ", "_") for part in parts) + ".json"

    @property
    def labels(self) -> Row:
        """What its row is listed by, which may change without a new run."""
        return {"task": self.name, "learner": self.learner, "variant": self.variant, "wanted": self.task.wanted}

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.name:20}", self.learner, self.variant, f"seed {self.seed}") if part)

    def measure(self) -> Row:
        """Run it, on one thread, telling of each look; the row of what was found."""
        torch.set_num_threads(1)
        keep_freed_memory()
        begin = process_time()

        def seen(each: Look) -> None:
            print(f"  {self}  {each}   {process_time() - begin:.1f} s of processor time", flush=True)

        if self.experiment is not None:
            looks = ours.learn(self.task, self.experiment, seen)
        else:
            looks = peers.learn(self.task, self.learner, self.settings or {}, self.seed, seen)
        return self.row(looks, process_time() - begin)

    def row(self, looks: Sequence[Look], seconds: float, failed: str = "") -> Row:
        """What is kept of a run. Raises RuntimeError where it did not fail and ended before enough was seen."""
        if not failed and not enough(looks, self.task):
            raise RuntimeError(f"{self} ended after {len(looks)} looks, before the protocol had seen enough")
        solved = first(looks, self.task)
        return {
            **self.labels,
            "seed": self.seed,
            "threshold": self.task.threshold,
            "cap": self.task.cap,
            "solved": None if solved is None else looks[solved].steps,
            "stays": stays(looks, self.task),
            "looks": [each.plain() for each in looks],
            "seconds": round(seconds, 2),
            "failed": failed,
            "settings": self.settings,
            "key": self.key,
            "versions": versions(),
            "date": datetime.now(UTC).date().isoformat(),
        }


def rows(
    jobs: Sequence[Job],
    folder: Path,
    *,
    workers: int = 1,
    kept: Sequence[Row] = (),
    fresh: bool = False,
    measure: Callable[[Job], Row] = Job.measure,
) -> Iterator[Row]:
    """A row for each job as soon as it is there: first those in `kept` and in files of the folder, then new ones.

    If `fresh`, all are new. Each new row is written before it is returned, by the process that measured it. A run that
    fails has a row that says so, and the others go on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = {row["key"]: row for row in kept if not row["failed"]}
    found = [{} if fresh else known.get(job.key) or _stored(folder / job.file) for job in jobs]
    yield from (row | job.labels for job, row in zip(jobs, found, strict=True) if row)
    left = [job for job, row in zip(jobs, found, strict=True) if not row]
    if workers == 1:
        yield from (_kept(job, folder, measure) for job in left)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _begun, (getpid(),)) as pool:
        pending = [pool.submit(_kept, job, folder, measure) for job in left]
        try:
            yield from (future.result() for future in as_completed(pending))
        except (KeyboardInterrupt, GeneratorExit):
            for child in active_children():
                child.terminate()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _stored(file: Path) -> Row:
    """The row in a file that `_kept` wrote; empty where there is none, or something else."""
    row = json_table(file)
    return row if is_row(row) else {}


def is_row(row: Row) -> bool:
    """Whether a table from a file is a row: what is shown of it is there, each of its type."""
    looks = row.get("looks")
    return (
        row.keys() >= {"task", "learner", "variant", "wanted", "key", "solved", "stays", "cap", "threshold"}
        and isinstance(row.get("failed"), str)
        and isinstance(row.get("seconds"), int | float)
        and isinstance(row.get("seed"), int)
        and isinstance(looks, list)
        and all(isinstance(look, dict) and look.keys() >= {"steps", "mean", "worst", "cut"} for look in looks)
    )


def _begun(parent: int) -> None:
    """Leave Ctrl-C to the process that waits, which ends its workers, and end when it is gone."""
    signal(SIGINT, SIG_IGN)

    def watch() -> None:
        while getppid() == parent:
            sleep(1)
        _exit(1)

    Thread(target=watch, daemon=True).start()


def _kept(job: Job, folder: Path, measure: Callable[[Job], Row]) -> Row:
    """The row of a job, written if it did not fail: what failed is tried again the next time."""
    try:
        row = measure(job)
    except (RunError, UserError) as error:  # parts may also prove not to fit when a run is under way
        return job.row([], 0.0, failed=str(error))
    write_whole(folder / job.file, json.dumps(row, indent=1) + "\n")
    return row


@cache
def code_hash(root: Path = ROOT) -> str:
    """The hash of the sources of agentic, its plugins and environments, and of the protocol."""
    homes = [root / name for name in ("agentic", "plugins", "envs")]
    files = sorted(path for home in homes for path in home.rglob("*") if path.suffix in (".py", ".c", ".cpp", ".cu"))
    files += [Path(__file__).with_name(name) for name in ("protocol.py", "ours.py")]
    return _hash(*(part for path in files for part in (path.name.encode(), path.read_bytes())))


def _hash(*parts: bytes) -> str:
    return sha256("".join(sha256(part).hexdigest() for part in parts).encode()).hexdigest()[:16]


def versions() -> Mapping[str, str]:
    """The releases that numbers may depend on, of what is installed."""
    found = {"python": python_version()}
    for name in ("torch", "numpy", "gymnasium", "stable-baselines3"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
