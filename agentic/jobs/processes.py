"""Jobs in processes of this machine, one after the other in each; one that ends or hangs costs its own job."""

import os
import shutil
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from math import ceil, inf
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from types import ModuleType
from typing import Any, final

from agentic.errors import RunError, UserError
from agentic.jobs.allocator import keep_freed_memory
from agentic.jobs.executor import Executor, Resources, cores
from agentic.jobs.job import Ended, Job, Placed

LONGEST = 60.0  # seconds between two looks at the clock
PATIENCE = 5.0  # seconds that a process which has nothing left to do may take to end
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@final
class Processes(Executor):
    """Jobs in so many processes of this machine; by default as many as its processors have room for."""

    name = "processes"

    def __init__(self, workers: int | None = None, resources: Resources | None = None) -> None:
        super().__init__(workers, resources)
        if self.resources.gpus or self.resources.memory or self.resources.cpus > cores():
            has = f"{cores()} processor{'s' * (cores() > 1)}"
            raise UserError(
                f"processes of this machine share {has}, and count neither gpus nor memory; got {self.resources}: ask "
                "for less, or take another executor"
            )
        self.workers = workers or int(cores() / self.resources.cpus)

    def carried_out(self, jobs: Sequence[Placed], limit: float) -> Iterator[Ended]:
        """Each job once it is done or lost. Raises RunError for what a job says, and where a process does not start."""
        waiting, crew = deque(jobs), list[Worker]()
        try:
            crew += [self._worker() for _ in range(min(self.workers or 1, len(jobs)))]
            while crew:
                seconds = min(each.seconds_left for each in crew)
                heard = [part for each in crew for part in (each.pipe, each.process.sentinel)]
                wait(heard, min(seconds, LONGEST))
                for worker in list(crew):
                    reason = worker.lost()
                    if reason is None:
                        continue
                    if worker.placed is not None:
                        yield Ended(worker.placed, reason)
                    elif reason:
                        raise RunError(f"a worker process could not be started, {reason}; run again to go on")
                    self._go_on(crew, worker, waiting, limit, alive=not reason)
        finally:
            for worker in crew:
                worker.stop(kill=True)

    def _go_on(
        self, crew: "list[Worker]", worker: "Worker", waiting: deque[Placed], limit: float, *, alive: bool
    ) -> None:
        """Give a worker what is waiting, or let it go; one that is not alive makes room for another."""
        if alive and waiting:
            worker.begin(waiting.popleft(), limit)
            return
        crew.remove(worker)
        worker.stop(kill=not alive)
        if len(waiting) > sum(each.placed is None for each in crew):
            crew.append(self._worker())

    def _worker(self) -> "Worker":
        return Worker(ceil(self.resources.cpus))


@final
class Worker:
    """A process that does one job after the other, `placed` where it is told; it has `lost` it if it ends or is late.

    It computes with so many `threads`: by default one, since the order of sums must not depend on the machine.
    """

    def __init__(self, threads: int = 1) -> None:
        spawn: Any = get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=_serve, args=(theirs, os.getpid()))
        with _nobodys_script(), _threads(threads):
            self.process.start()
        theirs.close()
        self.placed: Placed | None = None
        self.due, self.limit = inf, inf
        self.ended = False

    def begin(self, placed: Placed, limit: float) -> None:
        """Give it a job, to be done within `limit` seconds."""
        self.placed, self.due, self.limit = placed, monotonic() + limit, limit
        with suppress(OSError):  # it ended at this very moment, which is seen next
            self.pipe.send(placed)

    @property
    def seconds_left(self) -> float:
        """The time that is left for its job."""
        return max(0.0, self.due - monotonic())

    def lost(self) -> str | None:
        """Why the job is lost; empty where it is done, None where it is at work. Raises RunError for what it says."""
        with suppress(EOFError, OSError):
            if self.pipe.poll():
                if error := self.pipe.recv():
                    raise RunError(error)
                return ""
        if monotonic() >= self.due:
            self.stop(kill=True)
            return f"it took longer than its time_limit of {self.limit:g} s"
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


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Processes started inside compute with so many threads."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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
    import_module("agentic.jobs.carrying")  # and torch with it, whose time is nobody's job's
    pipe.send("")
    while (placed := pipe.recv()) is not None:
        said = ""
        try:
            _do(*placed)
        except (UserError, RunError) as error:
            said = str(error)
        pipe.send(said)


def _do(job: Job, folder: Path) -> None:
    """Do a job in its folder, empty at first. Raises RunError where it cannot be written."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        job.run(folder)
    except OSError as error:
        raise RunError(f"cannot write the results of {job.label} in {folder.parent}: {error.strerror}") from error


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
