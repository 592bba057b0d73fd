"""Workers of a bench: processes that carry out one task after the other; one that ends or hangs costs its own task."""

import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from types import ModuleType
from typing import Any, final

from agentic.cli import keep_freed_memory
from agentic.errors import RunError, UserError
from agentic_bench.task import Task, carry_out

LONGEST = 60.0  # seconds between two looks at the clock
PATIENCE = 5.0  # seconds that a process which has nothing left to do may take to end

Job = tuple[Task, Path, str, tuple[str, ...]]  # what `carry_out` takes
Ended = tuple[Job, str]  # a job, and why it was lost; empty where it is done


def cores() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@final
class Worker:
    """A process that is given one `job` after the other, and told to have `lost` one where it ends or is late."""

    def __init__(self) -> None:
        spawn: Any = get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=_serve, args=(theirs, os.getpid()))
        with _nobodys_script():
            self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.due = inf
        self.ended = False

    def begin(self, job: Job, limit: float) -> None:
        """Give it a job, to be done within `limit` seconds."""
        self.job, self.due = job, monotonic() + limit
        with suppress(OSError):  # it ended at this very moment, which is seen next
            self.pipe.send(job)

    def lost(self) -> str | None:
        """Why the job is lost; empty where it is done, None where it is at work. Raises RunError for what it says."""
        with suppress(EOFError, OSError):
            if self.pipe.poll():
                if error := self.pipe.recv():
                    raise RunError(error)
                return ""
        if monotonic() >= self.due:
            self.stop(kill=True)
            return "it took longer than [bench] time_limit"
        if not wait([self.process.sentinel], 0):
            return None
        self.stop(kill=True)
        code = self.process.exitcode or 0
        if code >= 0:
            return f"it ended its process with exit code {code}"
        return f"its process was ended by signal {-code} (too little memory?)"

    def stop(self, *, kill: bool) -> None:
        """End the process, at once or when it is done, and what its agents started: once, its number is free then."""
        if self.ended:
            return
        self.ended = True
        if not kill:
            with suppress(OSError):
                self.pipe.send(None)
            wait([self.process.sentinel], PATIENCE)
        _kill_group(self.process.pid or 0)
        self.process.kill()
        self.process.join()
        self.pipe.close()


@contextmanager
def _nobodys_script() -> Iterator[None]:
    """A while in which processes that are started do not run the user's script once more, as if it were imported."""
    script, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def carried_out(jobs: Sequence[Job], workers: int, limit: float) -> Iterator[Ended]:
    """Each job once it is done or lost, carried out in so many processes, each within `limit` seconds.

    Raises RunError for what a worker says, and where one ends before it begins.
    """
    waiting, crew = deque(jobs), list[Worker]()
    try:
        crew += [Worker() for _ in range(min(workers, len(jobs)))]
        while crew:
            seconds = min(each.due for each in crew) - monotonic()
            heard = [part for each in crew for part in (each.pipe, each.process.sentinel)]
            wait(heard, min(max(0.0, seconds), LONGEST))
            for worker in list(crew):
                reason = worker.lost()
                if reason is None:
                    continue
                if worker.job is not None:
                    yield worker.job, reason
                elif reason:
                    raise RunError(f"a worker process could not be started, {reason}; run again to go on")
                _go_on(crew, worker, waiting, limit, alive=not reason)
    finally:
        for worker in crew:
            worker.stop(kill=True)


def _go_on(crew: list[Worker], worker: Worker, waiting: deque[Job], limit: float, *, alive: bool) -> None:
    """Give a worker what is waiting, or let it go; one that is not alive makes room for another."""
    if alive and waiting:
        worker.begin(waiting.popleft(), limit)
        return
    crew.remove(worker)
    worker.stop(kill=not alive)
    if len(waiting) > sum(each.job is None for each in crew):
        crew.append(Worker())


def _serve(pipe: "Connection[Any, Any]", parent: int) -> None:
    """In a worker: Ctrl-C is the parent's business, so is what is printed; nothing outlives the parent.

    It leads a process group, so that what its agents started ends with it.
    """
    if sys.platform != "win32":
        os.setpgid(0, 0)
    keep_freed_memory()
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_outlive_nobody, args=(parent,), daemon=True).start()
    pipe.send("")
    while (job := pipe.recv()) is not None:
        said = ""
        try:
            carry_out(*job)
        except (UserError, RunError) as error:
            said = str(error)
        pipe.send(said)


def _outlive_nobody(parent: int) -> None:
    while os.getppid() == parent:
        sleep(0.2)
    _kill_group(os.getpid())
    os._exit(1)


def _kill_group(leader: int) -> None:
    """End the process group that a process leads, itself included; nothing where it leads none."""
    if sys.platform != "win32" and leader:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
