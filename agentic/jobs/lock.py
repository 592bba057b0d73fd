"""The lock of a folder of jobs, one at a time: two would take each other's half-written results for their own."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentic.errors import UserError
from agentic.jobs.folder import writing

LOCK = ".lock"
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # nor does a pipe make us wait
TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """A lock on a folder, which is made where it is missing: nobody else is at work there meanwhile.

    The system lets go of the lock when a process ends, however it ends; a file system that knows no locks is trusted.
    Raises UserError where another process holds it, where the folder cannot be written, and where a link or something
    that is no file is in the place of the lock.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | NO_LINK, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UserError(f"cannot write the folder {folder}: its {LOCK} is no file; give another one")
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno in TAKEN:
                said = f"another process is at work in {folder}: wait for it, or start a new folder with --fresh"
                raise UserError(said) from None
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
