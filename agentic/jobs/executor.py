"""Executors: where jobs are carried out. Processes of this machine are built in; others are entry points, by name."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from typing import Any, ClassVar, Self, final

from agentic.errors import BREAKS, UserError, described, listed, suggest
from agentic.jobs.job import Ended, Placed

GROUP = "agentic.executors"
HERE = "processes"


@final
@dataclass(frozen=True)
class Resources:
    """What a job may take: processors (`cpus`), graphics cards (`gpus`) and `memory` in gigabytes (0: not counted)."""

    cpus: float = 1.0
    gpus: float = 0.0
    memory: float = 0.0

    @classmethod
    def of(cls, text: str) -> Self:
        """From `cpus=2,gpus=0.5`. Raises UserError for what is no such text."""
        known, found = [field.name for field in fields(cls)], dict[str, float]()
        for part in filter(None, map(str.strip, text.split(","))):
            name, _, value = part.partition("=")
            try:
                found[name] = float(value)
            except ValueError:
                found[name] = -1.0
            if name not in known or not 0 <= found[name] < float("inf"):
                raise UserError(f"resources are written as cpus=2,gpus=0.5,memory=4 (gigabytes), got {part!r}")
        if found.get("cpus", 1.0) == 0:
            raise UserError("a job takes a part of a processor at least, got cpus=0")
        return cls(**found)


class Executor(ABC):
    """Carries out jobs, so many at once as there is room for; what comes of them does not depend on which one does it.

    A subclass has the `name` it is called by, and names `options` of its own and what they are good for: option
    `address` of an executor named `ray` is a keyword of the constructor, and --ray-address of every command that
    carries out jobs.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, str]] = {}

    def __init__(self, workers: int | None = None, resources: Resources | None = None) -> None:
        if workers is not None and workers < 1:
            raise UserError(f"workers must be at least 1, got {workers}")
        self.workers, self.resources = workers, resources or Resources()

    @abstractmethod
    def carried_out(self, jobs: Sequence[Placed], limit: float) -> Iterator[Ended]:
        """Each job once it is done or lost, in any order; none may take longer than `limit` seconds.

        Before a job is yielded, its folder is there, whole, unless it is lost. Raises RunError where jobs cannot be
        carried out at all, and what jobs raise.
        """


def executor_names() -> list[str]:
    """The names of all executors that are installed."""
    return [HERE, *sorted({point.name for point in entry_points(group=GROUP)} - {HERE})]


def executor_class(name: str) -> type[Executor]:
    """The executor of a name. Raises UserError where there is none, or it cannot be imported."""
    if name == HERE:
        from agentic.jobs.processes import Processes

        return Processes
    known = executor_names()
    for point in entry_points(group=GROUP, name=name):
        try:
            found = point.load()
        except BREAKS as error:
            raise UserError(
                f"the executor {name} cannot be imported, {described(error)}: reinstall {point.value}"
            ) from error
        if isinstance(found, type) and issubclass(found, Executor):
            return found
        raise UserError(f"the executor {name} is no agentic.jobs.Executor, but {found!r}: ask who made {point.value}")
    raise UserError(f"there is no executor {name!r}{suggest(name, known)}; known: {listed(known)}")


def executor_of(given: str | Executor = HERE, **options: Any) -> Executor:
    """The executor of a name, with the options it is made with; one that is made already is returned as it is."""
    return given if isinstance(given, Executor) else executor_class(given)(**options)


def cores() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
