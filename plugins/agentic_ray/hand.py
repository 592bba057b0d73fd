"""A hand on a node: an actor that has jobs done by a process of its own, and returns what they leave."""

import io
import os
import shutil
import tarfile
from contextlib import suppress
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import mkdtemp
from typing import final

from agentic.errors import RunError
from agentic.jobs import Job, Placed, Worker, source_hash
from agentic.plugins import load

LONGEST = 60.0  # seconds between two looks at the clock


@final
class Hand:
    """One job after the other, each within its limit, by a process with so many `threads`, from the folder `where`.

    `code` is the hash of what the program runs: other code would give other numbers.
    """

    def __init__(self, threads: int, where: str, code: str) -> None:
        self._threads, self._code = threads, code
        self._worker: Worker | None = None
        self._place = Path(mkdtemp(prefix="agentic-"))
        with suppress(OSError):  # where there is no such folder, names of files must be absolute
            os.chdir(where)

    def ready(self) -> str | None:
        """Why no job should be given to it, None where one may be."""
        if here() == self._code:
            return None
        node = os.uname().nodename if hasattr(os, "uname") else "a node"
        return f"{node} has another agentic, Python or library than this program: install the same on every node"

    def do(self, job: Job, limit: float) -> tuple[str, bytes] | str:
        """Why a job was lost, empty where it is done, and its folder, packed; a text alone concerns all jobs."""
        placed = Placed(job, self._place / "job")
        try:
            lost = self._done(placed, limit)
            return lost, b"" if lost else pack(placed.folder)
        except RunError as error:
            return str(error)
        finally:
            shutil.rmtree(placed.folder, ignore_errors=True)

    def _done(self, placed: Placed, limit: float) -> str:
        if self._worker is None:
            self._worker = Worker(self._threads)
            if lost := _answer(self._worker):
                raise RunError(f"a worker process could not be started, {lost}; run again to go on")
        self._worker.begin(placed, limit)
        lost = _answer(self._worker)
        if lost:
            self._worker.stop(kill=True)
            self._worker = None
        return lost


def _answer(worker: Worker) -> str:
    """What a worker says, once it does: why a job is lost, empty where it is done. Raises RunError for what it says."""
    while (lost := worker.lost()) is None:
        wait([worker.pipe, worker.process.sentinel], min(worker.seconds_left, LONGEST))
    return lost


@cache
def here() -> str:
    """The hash of the code that runs here."""
    return source_hash(load())


def pack(folder: Path) -> bytes:
    """A folder with all that is in it; what is linked twice is there once."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(folder, ".")
    return content.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """The folder that was packed, whatever was there before. Raises RunError where it cannot be written."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise RunError(f"cannot write {folder}, {error}") from error
