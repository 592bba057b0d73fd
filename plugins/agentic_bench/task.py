"""Tasks of a bench: an agent in a world on one seed, run, recorded and measured in a folder of its own.

It is carried out in a process of its own and depends on nothing but its tables, so that any number of workers give
the same result, and a bench that was stopped goes on where it was.
"""

import hashlib
import json
import os
import random
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from agentic import Experiment, Informed, Metric, Subject, build
from agentic.cli import say, unlearned
from agentic.errors import RunError, UserError, attempt
from agentic.experiments import Named, change, limited
from agentic.metrics import Outcome, Probe, Result
from agentic.plugins import PRIVATE, Registry, load
from agentic.runs import RunFolder, annotate, stream
from agentic_bench.folder import BenchFolder, unit


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
        return unit(self.world, self.agent, self.seed)

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
        said = [self.world, self.agent, tables, self.learning, columns, code, [*_hashes([tables, columns])]]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def carry_out(task: Task, folder: Path, key: str, files: Sequence[str] = ()) -> None:
    """Carry out a task and leave its folder, whole, below `folder`, the bench's; an earlier one is replaced.

    What does not apply, or breaks, is told in its result. Raises RunError where the folder cannot be written.
    """
    place, draft = folder / task.folder, BenchFolder(folder).draft(task.label)
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _forget(task.seed)
        _attempt(task, draft, key, load(files))
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(place)
    except OSError as error:
        raise RunError(f"cannot write the results of {task.label} in {folder}: {error.strerror}") from error


def _attempt(task: Task, folder: Path, key: str, registry: Registry) -> None:
    def lived() -> Subject:
        built = build(limited(task.experiment, registry), registry)
        subject = built.subject(folder, learning=task.learning)
        if words := unlearned(task.experiment, built.agent, built.environment):
            say(f"{task.label}: {words}", err=True)
        return subject

    subject = attempt(lived)
    if not isinstance(subject, Subject):
        Result.of(dict.fromkeys([column.label for column in task.columns], subject), key).keep(folder)
        return
    outcomes, seconds = dict[str, Outcome](), dict[str, float]()
    for column in task.columns:
        probe = attempt(partial(column.probe, registry, task.experiment.evaluate.episodes))
        asked = probe.ask(subject, seed=task.seed, label=task.label) if isinstance(probe, Probe) else (probe, 0.0)
        outcomes[column.label], seconds[column.label] = asked
    Result.of(outcomes, key).keep(folder)
    annotate(RunFolder(folder), measuring_seconds=seconds)


def _forget(seed: int) -> None:
    """Begin as a new process does: modules of files are loaded anew, and global generators start from the seed.

    Nothing of ours uses these generators; third parties do, and a worker has done other tasks before.
    """
    for name in [name for name in sys.modules if name.startswith(PRIVATE)]:
        del sys.modules[name]
    # The name of the stream stays: whatever draws from global generators would draw otherwise under another one.
    word = int(stream(seed, "stranger").generate_state(1, np.uint32)[0])
    random.seed(word)
    np.random.seed(word)  # noqa: NPY002, TID251
    torch.manual_seed(word)  # noqa: TID251


def _hashes(value: Any) -> Iterator[str]:
    """Of every file that a text in plain tables names: a saved policy, a learned agent, a class, a model of a world."""
    if isinstance(value, str):
        for path in dict.fromkeys(
            (value, f"{value}.zip", f"{value}/learned/checkpoint.json", value.rpartition(":")[0])
        ):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    yield hashlib.file_digest(file, "sha256").hexdigest()
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _hashes(part)
