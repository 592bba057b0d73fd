"""Jobs for tests, of a module that processes can import."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentic import RunError
from agentic.jobs import Unit


def squares(number: int) -> str:
    """What is to be found in the end."""
    return f"{number**2}"


def late(number: int) -> str:
    """Nothing, in time."""
    time.sleep(1000)
    return squares(number)


def gone(number: int) -> str:
    """Nothing: it leaves."""
    os._exit(number)


def killed(number: int) -> str:
    """Nothing: it is killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    return squares(number)


def stopping(number: int) -> str:
    """Nothing, and nobody else should go on."""
    raise RunError(f"the disk of {number} is full")


@dataclass(frozen=True)
class Work(Unit):
    """A number squared, written into a file; `how` may also be none of it."""

    number: int
    how: Callable[[int], str] = squares

    @property
    def label(self) -> str:
        return f"number {self.number}"

    @property
    def place(self) -> Path:
        return Path("units", f"{self.number}")

    def is_done(self, folder: Path) -> bool:
        return (folder / "square").exists()

    def give_up(self, folder: Path, reason: str) -> None:
        (folder / "lost").write_text(reason)

    def run(self, folder: Path) -> None:
        assert not [*folder.iterdir()]
        (folder / "threads").write_text(os.environ["OMP_NUM_THREADS"])
        (folder / "square").write_text(self.how(self.number))
