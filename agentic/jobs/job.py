"""Jobs: pieces of work that any process, on any machine, can do; what they leave is the content of a folder."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple


class Job(ABC):
    """A piece of work that depends on nothing but itself: pickled, it is done by a process that was just started.

    Many are done by one process after the other, possibly on another machine: what they read besides must be there by
    the same paths.
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """What it is called where its progress is told."""

    @abstractmethod
    def run(self, folder: Path) -> None:
        """Do it, and leave what comes of it in `folder`, which is empty.

        What breaks is part of the result. Raises UserError or RunError for what concerns all jobs: it ends them.
        """


class Placed(NamedTuple):
    """A job, and the `folder`, not there yet, in which it is to leave its results."""

    job: Job
    folder: Path


class Ended(NamedTuple):
    """A job that ended, and why it is `lost`; empty where it is done."""

    placed: Placed
    lost: str = ""
