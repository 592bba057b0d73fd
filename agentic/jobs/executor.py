"""Executors: where jobs are carried out, and what each of them may take."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Self, final

from agentic.errors import UserError
from agentic.jobs.job import Ended, Placed


@final
@dataclass(frozen=True)
class Resources:
    """What a job may take: processors (`cpus`), graphics cards (`gpus`) and `memory` in gigabytes (0: not counted).

    Raises UserError without a part of a processor.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    memory: float = 0.0

    def __post_init__(self) -> None:
        if not self.cpus > 0:
            raise UserError(f"a job takes a part of a processor at least, got cpus={self.cpus:g}")

    def __str__(self) -> str:
        return ",".join(f"{name}={value:g}" for name, value in vars(self).items() if value)

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


def cores() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
