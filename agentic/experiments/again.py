"""Runs that are used again: one that goes on where it stopped, and the agent that one has learned."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, final

import torch

from agentic.environments.environment import Environment
from agentic.errors import UserError
from agentic.experiments.build import Built, Observer, build
from agentic.experiments.experiment import Experiment
from agentic.plugins.registry import Registry
from agentic.runs.checkpoint import Checkpoint, sound
from agentic.runs.files import is_own, sha256_of
from agentic.runs.folder import RunFolder
from agentic.runs.going import Going
from agentic.runs.manifest import read
from agentic.runs.record import Record
from agentic.runs.recorder import Recorder
from agentic.runs.saver import Saver
from agentic.runs.schedule import Checkpoints


def recorded(folder: str | Path) -> Experiment:
    """The experiment of a run's folder. Raises UserError where there is none, as of a run that was made in Python."""
    found = RunFolder(folder)
    if not found.holds_run:
        raise UserError(f"{folder} is not the folder of a run: give one that `agentic run` made")
    if not is_own(found.experiment_file):
        raise UserError(f"{folder} holds no {found.experiment_file.name}: what a program ran, that program must make")
    known = read(found).get("experiment")
    if known not in (None, sha256_of(found.experiment_file)):
        raise UserError(f"{found.experiment_file} is not the one that the run was made from: put that back")
    return Experiment.load(found.experiment_file)


@final
@dataclass(frozen=True)
class Resumption:
    """A run that is to go on in its folder from its latest checkpoint, `start`; None for its beginning.

    With `more` it learns for so many steps more, a finished one too, and is evaluated anew.
    """

    folder: RunFolder
    built: Built
    start: Checkpoint | None
    more: int = 0

    @classmethod
    def of(cls, folder: str | Path, experiment: Experiment, registry: Registry, more: int = 0) -> Self:
        """That of the run in a folder, whose experiment is `recorded` there.

        Raises UserError for a finished run, for more steps of a run that does not learn, and for what cannot be built.
        """
        place = RunFolder(folder)
        if read(place).get("status") == "finished" and not more:
            raise UserError(f"{folder} finished: nothing is left to do; --steps +1000 lets it learn on")
        if more < 0 or (more and not experiment.learn.steps):
            what = "learns nothing" if more > 0 else f"cannot learn for {more} steps"
            raise UserError(f"{folder} {what}: leave --steps out, or give a run that learns and so many steps more")
        steps = experiment.learn.steps + more
        start = next((each for each in sound(place) if _leads_to(each, steps)), None)
        if start is None and (more or place.checkpoints() or place.learned.exists()):
            what = "of its learning: run it again with more steps" if more else "that can be read: nothing was changed"
            raise UserError(f"{folder} holds no checkpoint {what}")
        learn = experiment.learn.model_copy(update={"steps": steps})
        longer = experiment.model_copy(update={"learn": learn})
        return cls(place, replace(build(experiment, registry), experiment=longer), start, more)

    @property
    def words(self) -> str:
        """Where it goes on, for those who wait."""
        if self.start is None:
            return "no checkpoint was saved: the run begins again"
        phase = {"learn": "learning", "evaluate": "evaluation"}.get(str(self.start.about["phase"]), "")
        return f"the run goes on after {self.start.ticks:,} ticks, in its {phase}"

    def run(self, observer: Observer | None = None) -> Record:
        """Go on to the end. Raises UserError, with the folder as it was, where the checkpoint does not fit."""
        return self.built.go_on(self.folder, self.start, self.more > 0, observer)


def _leads_to(start: Checkpoint, steps: int) -> bool:
    """Whether a run that learns for so many steps comes by a checkpoint, which may be of one that learned for fewer."""
    return start.about["phase"] == "learn" or start.about["learn_steps"] == steps


def learned(
    folder: str | Path, experiment: Experiment, registry: Registry, environment: Environment | None = None
) -> Built:
    """What the run in a folder was made of, its agent as it was when learning ended, or at its latest checkpoint.

    The agent goes on from there where it is let learn more. Wrappers have the statistics they had; an `environment`
    that is given takes the place of the own one, and stays as it is. Raises UserError where the run has learned nothing
    yet, and for what cannot be loaded.
    """
    built = build(experiment, registry, environment)
    if experiment.learn.steps:
        put_in(built, start_of(folder), own_world=environment is None)
    return built


def start_of(folder: str | Path) -> Checkpoint:
    """The latest checkpoint of learning in a run's folder. Raises UserError where there is none."""
    start = next((each for each in sound(RunFolder(folder)) if each.about["phase"] == "learn"), None)
    if start is None:
        raise UserError(f"{folder} holds no checkpoint of its learning: let it learn, with `agentic run --resume`")
    return start


def put_in(built: Built, start: Checkpoint, *, own_world: bool) -> None:
    """Give the agent of an experiment what another run of it had learned. Raises UserError where it does not fit."""
    table, recorder = built.experiment, Recorder(built.environment, None)
    dtype = getattr(torch, table.run.dtype)
    going = Going(built.agent, built.environment, table.schedule, recorder, seed=table.run.seed, dtype=dtype)
    saver = Saver(going, RunFolder(start.path.parent), Checkpoints())
    saver.put_agent_back(start, own_world=own_world)
    if built.agent.learner is not None:
        built.agent.learner.finish()
    recorder.close()
