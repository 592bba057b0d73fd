"""Tasks of a bench: an agent in a world on one seed, run, recorded and measured in a folder of its own.

It is carried out in a process of its own and depends on nothing but its tables, so that any number of workers give
the same result, and a bench that was stopped goes on where it was.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from agentic import Experiment, Informed, Metric, Subject, build
from agentic.cli import say, unlearned
from agentic.errors import RunError, UserError, attempt
from agentic.experiments import Named, change, limited
from agentic.jobs import Unit, file_hashes, forget, unit_path
from agentic.metrics import Outcome, Probe, Result
from agentic.plugins import Registry, load
from agentic.runs import RunFolder, annotate


@final
@dataclass(frozen=True)
class Column:
    """A column of a bench: a `metric`, on its own or `under` an intervention, which `change`s the world."""

    label: str
    metric: Named
    under: str = ""
    change: Named | None = None
    informed: Informed = "both"

    def probe(self, registry: Registry, episodes: int = 20) -> Probe:
        """The metric and the change that the tables name. Raises UserError where they do not fit."""
        try:
            metric = registry.make(Metric, self.metric.model_dump(), "metric")
        except UserError as error:
            raise UserError(f"[[metrics]] {self.label}: {error}") from None
        wrap = None if self.change is None else change(registry, self.change, f"[[interventions]] {self.under}:")
        return Probe(metric, self.under, wrap, self.informed, episodes)


@final
@dataclass(frozen=True)
class Task:
    """An agent in a world, by their labels, on one seed, and what is measured of it: sealed, or still `learning`."""

    world: str
    agent: str
    seed: int
    experiment: Experiment
    columns: tuple[Column, ...]
    learning: bool = False

    @property
    def folder(self) -> Path:
        """The folder of its results, within that of the bench."""
        return unit_path(self.world, self.agent, seed=self.seed)

    @property
    def label(self) -> str:
        """The task in words: agent, world and seed."""
        return f"{self.world}, {self.agent}, seed {self.seed}"

    def key(self, code: str) -> str:
        """A SHA-256 of what its results depend on, files included; `code` stands for all versions and sources."""
        columns = [
            [c.label, c.metric.model_dump(), c.change and c.change.model_dump(), c.informed] for c in self.columns
        ]
        tables = self.experiment.tables()
        said = [self.world, self.agent, tables, self.learning, columns, code, [*file_hashes([tables, columns])]]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


@final
@dataclass(frozen=True)
class Measuring(Unit):
    """A task as a job: `key` stands for what its results depend on, `files` are plugins by path."""

    task: Task
    key: str
    files: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The task in words."""
        return self.task.label

    @property
    def place(self) -> Path:
        """The folder of its results, within that of the bench."""
        return self.task.folder

    def is_done(self, folder: Path) -> bool:
        """Whether the results in a folder are those of this task, made from the same; what broke is tried again."""
        found = Result.read(folder)
        return found is not None and found.key == self.key and not found.broken

    def give_up(self, folder: Path, reason: str) -> None:
        """Leave results that say in every column why there are none."""
        broken = RunError(f"it broke, {reason}")
        Result.of(dict.fromkeys([column.label for column in self.task.columns], broken), "").keep(folder)

    def run(self, folder: Path) -> None:
        """Let the agent live, and measure it; what does not apply, or breaks, is told in the results."""
        forget(self.task.seed)
        registry = load(self.files)
        subject = attempt(partial(self._lived, folder, registry))
        if not isinstance(subject, Subject):
            missing = dict.fromkeys([column.label for column in self.task.columns], subject)
            Result.of(missing, self.key).keep(folder)
            return
        outcomes, seconds = dict[str, Outcome](), dict[str, float]()
        for column in self.task.columns:
            probe = attempt(partial(column.probe, registry, self.task.experiment.evaluate.episodes))
            asked = (
                probe.ask(subject, seed=self.task.seed, label=self.label) if isinstance(probe, Probe) else (probe, 0.0)
            )
            outcomes[column.label], seconds[column.label] = asked
        Result.of(outcomes, self.key).keep(folder)
        annotate(RunFolder(folder), measuring_seconds=seconds)

    def _lived(self, folder: Path, registry: Registry) -> Subject:
        task = self.task
        built = build(limited(task.experiment, registry), registry)
        subject = built.subject(folder, learning=task.learning)
        if words := unlearned(task.experiment, built.agent, built.environment):
            say(f"{task.label}: {words}", err=True)
        return subject
