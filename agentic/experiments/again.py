"""Runs that are used again: one that goes on where it stopped, and the agent that one has learned."""

from dataclasses import replace
from pathlib import Path

import torch

from agentic.environments.environment import Environment
from agentic.errors import UserError
from agentic.experiments.build import Built, Observer, build
from agentic.experiments.experiment import Experiment
from agentic.plugins.registry import Registry
from agentic.runs.checkpoint import Checkpoint, sound
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
    if not found.experiment_file.exists():
        raise UserError(f"{folder} holds no {found.experiment_file.name}: what a program ran, that program must make")
    return Experiment.load(found.experiment_file)


def resume(folder: str | Path, registry: Registry, *, more: int = 0, observer: Observer | None = None) -> Record:
    """Let the run in a folder go on from its latest checkpoint, or from its beginning where there is none yet.

    With `more` it learns for so many steps more, a finished one too, and is evaluated anew. Raises UserError, with the
    folder as it was, where that cannot be: a finished run, one that is running, and a checkpoint that does not fit.
    """
    experiment, place = recorded(folder), RunFolder(folder)
    content = read(place)
    if content.get("status") == "finished" and not more:
        raise UserError(f"{folder} finished: nothing is left to do; --steps +1000 lets it learn on")
    if more < 0 or (more and not experiment.learn.steps):
        what = "learns nothing" if more > 0 else f"cannot learn for {more} steps"
        raise UserError(f"{folder} {what}: leave --steps out, or give a run that learns and so many steps more")
    start = next((each for each in sound(place) if not more or each.about["phase"] == "learn"), None)
    if more and start is None:
        raise UserError(f"{folder} holds no checkpoint of its learning: run it again with more steps")
    learn = experiment.learn.model_copy(update={"steps": experiment.learn.steps + more})
    built = build(experiment, registry)
    built = replace(built, experiment=experiment.model_copy(update={"learn": learn}))
    return built.go_on(place, start, more, observer)


def learned(folder: str | Path, registry: Registry, environment: Environment | None = None) -> Built:
    """What the run in a folder was made of, its agent as it was when learning ended, or at the latest checkpoint of it.

    The agent goes on from there where it is let learn more. Wrappers have the statistics they had. An `environment`
    that is given takes the place of the own one, and stays as it is. Raises UserError where the run has learned nothing
    yet, and for what cannot be loaded.
    """
    experiment, place = recorded(folder), RunFolder(folder)
    built = build(experiment, registry, environment)
    if not experiment.learn.steps:
        return built
    start = next((each for each in sound(place) if each.about["phase"] == "learn"), None)
    if start is None:
        raise UserError(f"{folder} holds no checkpoint of its learning: let it learn, with `agentic run --resume`")
    put_in(built, start, own_world=environment is None)
    return built


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


def start_of(folder: RunFolder) -> Checkpoint | None:
    """The checkpoint a run would go on from; None where it would begin again."""
    return next(iter(sound(folder)), None)
