"""Subjects of `agentic measure`: a recorded run, or an agent in a world on several seeds, and who is beside it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Self, final

import torch

from agentic.agents.agent import Agent
from agentic.cli.beginners import unlearned
from agentic.cli.progress import progress, with_limit
from agentic.cli.starting import retarget
from agentic.cli.terminal import say, warn_of
from agentic.errors import UserError, attempt, listed
from agentic.experiments.again import recorded
from agentic.experiments.build import Built, build
from agentic.experiments.experiment import EvaluateTable, Experiment
from agentic.experiments.origin import put_in
from agentic.experiments.trust import untrusted
from agentic.metrics.subject import Part, Subject, subject_of
from agentic.plugins import Registry
from agentic.runs.checkpoint import Checkpoint
from agentic.runs.files import is_own
from agentic.runs.folder import RunFolder
from agentic.runs.record import Record


@final
@dataclass(frozen=True)
class Source:
    """The source of subjects: an `experiment` that is run, or a `recorded` run and, where known, its experiment.

    `closed` is why the experiment of a recorded run is left alone, where it is there: it is the record alone then.
    `folder` is that of a recorded run.
    """

    label: str
    registry: Registry
    quiet: bool
    experiment: Experiment | None = None
    recorded: Subject | None = None
    closed: UserError | None = None
    folder: RunFolder | None = None

    @classmethod
    def of_run(cls, run: str, registry: Registry, quiet: bool, *, trust: bool = False) -> Self:
        """The source that is a run's folder, or a data set as "minari:...". Raises UserError where there is none.

        What only the folder names is run where it is given `trust`; see `check_trusted`.
        """
        if run.startswith("minari:"):
            return cls(run, registry, quiet, None, subject_of(run))
        record = Record.salvage(run)
        warn_of(record)
        found, file, label = subject_of(record), RunFolder(run).experiment_file, os.path.basename(os.path.realpath(run))
        try:
            experiment = Experiment.load(file) if is_own(file) else None
            if experiment is not None:
                check_trusted(experiment, registry, str(file), trust=trust)
        except UserError as error:
            return cls(label, registry, quiet, None, found, error)
        return cls(label, registry, quiet, experiment, found, folder=RunFolder(run))

    def subject(self, seed: int, parts: set[Part]) -> Subject:
        """The subject with those `parts` that can be had.

        A recorded agent is loaded as it was when learning ended; where it cannot be, it learns again on its own seed.
        """
        if self.recorded is None:
            assert self.experiment is not None
            return self._lived(self.experiment, seed, parts)
        lacking: set[Part] = parts - {"record"}
        if self.closed is not None and lacking:
            raise self.closed
        if self.experiment is None or not lacking:
            return self.recorded
        again = self._loaded(self.experiment) if "agent" in lacking else None
        if again is None:
            again = self._lived(self.experiment, self.experiment.run.seed, lacking)
            self._compare(again)
        return again.having(record=self.recorded.record)

    def references(self, seed: int, parts: set[Part]) -> Mapping[str, Subject]:
        """The agents that others are compared with, in the same world; nobody where the world is not known."""
        lived = seed if self.recorded is None or self.experiment is None else self.experiment.run.seed
        found = {name: attempt(partial(self._lived, each, lived, parts)) for name, each in self._others.items()}
        for name, each in found.items():
            if not isinstance(each, Subject):
                say(f"not compared with {name}: {each}", err=True)
        return {name: each for name, each in found.items() if isinstance(each, Subject)}

    @cached_property
    def _others(self) -> Mapping[str, Experiment]:
        if self.experiment is None:
            return {}
        agents = {name: self.registry.find(Agent, name)[1] for name in self.registry.satisfying(Agent)}
        others = [name for name, agent in agents.items() if agent.reference and name != self.experiment.agent.name]
        return {name: retarget(self.experiment, name, self.registry) for name in others}

    def _loaded(self, experiment: Experiment) -> Subject | None:
        """The subject without its record, from the checkpoint of the end of learning; None where it has to learn."""
        if self.folder is None or not self.folder.learned.exists():
            return None
        resolved = with_limit(experiment, self.registry, self.quiet)
        torch.set_num_threads(resolved.run.threads)
        built = build(resolved, self.registry)
        world = built.environment
        try:
            copies = world.copies()
            start = Checkpoint.open(self.folder.learned)
            if start.about.get("steps") != resolved.learn.steps:
                raise UserError(f"{start.path} is not of the end of learning")
            put_in(built.agent, world, resolved, start, own_world=True)
            self._tell(built)
            return Subject(agent=built.agent.sealed(), environment=world.copies() if world.adapts else copies)
        except UserError as error:
            if not self.quiet:
                say(f"{error}: it learns again", err=True)
            return None
        finally:
            world.close()

    def _lived(self, experiment: Experiment, seed: int, parts: set[Part]) -> Subject:
        """Learning and evaluation take place only where a part comes of it."""
        seeded = Experiment.of(experiment.tables(), [f"run.seed={seed}"])
        resolved = with_limit(seeded, self.registry, self.quiet)
        if "record" not in parts:
            resolved = resolved.model_copy(update={"evaluate": EvaluateTable.model_construct(episodes=0)})
        built = build(resolved, self.registry)
        if parts == {"environment"}:
            return Subject(environment=built.environment.copies())
        if not self.quiet and (resolved.learn.steps or resolved.evaluate.episodes):
            say(f"{resolved.env.id}, agent {resolved.agent.name}, seed {seed}", err=True)
        with progress(resolved, quiet=self.quiet) as observer:
            subject = built.subject(observer=observer)
        self._tell(built)
        return subject

    def _tell(self, built: Built) -> None:
        """Say so where the agent should have learned and did not."""
        if words := "" if self.quiet else unlearned(built.experiment, built.agent, built.environment):
            say(f"agentic: {words}", err=True)

    def _compare(self, again: Subject) -> None:
        """Say so where experience was not repeated, as by other versions: the record is then another agent's."""
        if self.recorded and self.experiment and self.experiment.learn.steps and not again.lacks("record"):
            before, lived = self.recorded.record, again.record.table()
            columns = [
                name for name in lived.column_names if name.partition(".")[0] in ("action", "next_obs", "reward")
            ]
            if not lived.select(columns).equals(before.table(columns).slice(0, len(lived))):
                say(f"warning: learning again, the agent of {self.label} did not do what it did then", err=True)


def trusted(folder: str | Path, registry: Registry, *, trust: bool) -> Experiment:
    """The experiment that is recorded in a run's folder, once it is known to be trusted; see `check_trusted`."""
    experiment = recorded(folder)
    check_trusted(experiment, registry, str(RunFolder(folder).experiment_file), trust=trust)
    return experiment


def check_trusted(experiment: Experiment, registry: Registry, source: str, *, trust: bool = False) -> None:
    """Check that an experiment, read from a folder, asks for nothing to be run or written that only it names.

    `registry` holds the components of installed distributions and the files that the user named; `source` is the file
    in messages. Raises UserError, unless the folder is given `trust`, for what is `untrusted`.
    """
    found = [] if trust else list(dict.fromkeys(untrusted(experiment.tables(), registry)))
    if found:
        raise UserError(
            f"{source} names {listed(found)}, which is neither installed nor named on this command line, or which may "
            "say where to write: look into it, then it is used only with --trust"
        )
