"""One unit of a bench: an agent in a world on one seed, run, recorded and measured in a folder of its own.

It is carried out in a process of its own and depends on nothing but its tables, so that any number of workers give
the same result, and a bench that was stopped goes on where it was.
"""

import hashlib
import json
import os
import random
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, final

import numpy as np
import torch

from agentic import Experiment, Informed, Intervention, Measurement, Metric, Subject, build, measure, stream
from agentic.errors import RunError, UserError, described
from agentic.experiments import Named, change, limited
from agentic.metrics import Result
from agentic.plugins import PRIVATE, Registry, load
from agentic.runs import annotate

LONGEST = 60  # letters of a label in the name of a folder


@final
@dataclass(frozen=True)
class Column:
    """What is measured: a `metric`, on its own or `under` an intervention, which `change`s the world."""

    label: str
    metric: Named
    under: str = ""
    change: Named | None = None
    informed: Informed = "both"


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
        """Where its results are, within the folder of the bench."""
        return Path("units", slug(self.world), slug(self.agent), f"seed-{self.seed}")

    @property
    def label(self) -> str:
        """The task in words: agent, world and seed."""
        return f"{self.world}, {self.agent}, seed {self.seed}"

    def key(self, code: str) -> str:
        """What its results depend on, files included, as a SHA-256; `code` stands for all versions and sources."""
        columns = [
            [c.label, c.metric.model_dump(), c.change and c.change.model_dump(), c.informed] for c in self.columns
        ]
        tables = self.experiment.tables()
        said = [self.world, self.agent, tables, self.learning, columns, code, [*_hashes([tables, columns])]]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def carry_out(task: Task, folder: Path, key: str, files: Sequence[str] = ()) -> None:
    """Do a task and leave its folder, whole, below `folder`, the bench's; an earlier one is replaced.

    What does not apply, or breaks, is told in its result. Raises RunError where the folder cannot be written.
    """
    place, draft = folder / task.folder, folder / "units" / f".{slug(task.label)}"
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
    try:
        subject = build(limited(task.experiment, registry), registry).subject(folder, learning=task.learning)
    except (Exception, SystemExit) as error:
        missing = dict.fromkeys((column.label for column in task.columns), _reason(error))
        Result({}, missing, () if isinstance(error, UserError) else tuple(missing), key).keep(folder)
        return
    measured, missing, broken = dict[str, Measurement](), dict[str, str](), list[str]()
    seconds = dict[str, float]()
    for column in task.columns:
        begun = perf_counter()
        try:
            measured[column.label] = _measured(column, subject, task, registry)
        except (Exception, SystemExit) as error:
            missing[column.label] = _reason(error)
            broken += [] if isinstance(error, UserError) else [column.label]
        seconds[column.label] = perf_counter() - begun
    Result(measured, missing, tuple(broken), key).keep(folder)
    annotate(folder, measuring_seconds=seconds)


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, UserError | RunError) else f"it broke, {described(error)}"


def _measured(column: Column, subject: Subject, task: Task, registry: Registry) -> Measurement:
    metric = registry.make(Metric, column.metric.model_dump(), "metric")
    if column.change is not None:
        apply = change(registry, column.change, f"[[interventions]] {column.under}:")
        intervention = Intervention.announced(column.under, apply, subject.environment, column.informed)
        if metric.compares:
            subject = subject.having(interventions=(intervention,))
        else:
            subject = subject.under(intervention)
            if "record" in metric.needs:
                subject = subject.recorded(episodes=task.experiment.evaluate.episodes, seed=task.seed)
    found = measure(metric, subject, seed=task.seed)
    return replace(found, diagnostics={**found.diagnostics, "subject": task.label})


def slug(label: str) -> str:
    """A label as the name of a folder; labels that differ keep different names."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:LONGEST] or "x"
    return plain if plain == label else f"{plain}-{hashlib.sha256(label.encode()).hexdigest()[:6]}"


def _forget(seed: int) -> None:
    """Begin as a new process does: modules of files are loaded anew, and global generators start from the seed.

    Nothing of ours uses these generators; third parties do, and a worker has done other tasks before.
    """
    for name in [name for name in sys.modules if name.startswith(PRIVATE)]:
        del sys.modules[name]
    word = int(stream(seed, "stranger").generate_state(1, np.uint32)[0])
    random.seed(word)
    np.random.seed(word)  # noqa: NPY002, TID251
    torch.manual_seed(word)  # noqa: TID251


def _hashes(value: Any) -> Iterator[str]:
    """Of every file that a text in plain tables names: a saved policy, a class in a file, a model of a world."""
    if isinstance(value, str):
        for path in dict.fromkeys((value, f"{value}.zip", value.rpartition(":")[0])):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    yield hashlib.file_digest(file, "sha256").hexdigest()
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _hashes(part)
