"""The runs that agents come from: their state when learning ended, put into an agent that is made anew."""

from pathlib import Path
from typing import Any

import torch

from agentic.agents.agent import Agent
from agentic.environments.environment import Environment
from agentic.errors import UserError, listed
from agentic.experiments.experiment import ORIGIN, TOP, Experiment, file_in
from agentic.experiments.trust import untrusted
from agentic.plugins.registry import Registry
from agentic.runs.checkpoint import ABOUT, Checkpoint, sound
from agentic.runs.files import sha256_of
from agentic.runs.folder import RunFolder
from agentic.runs.going import Going
from agentic.runs.recorder import Recorder
from agentic.runs.saver import Saver
from agentic.runs.schedule import Checkpoints


def origin_of(experiment: Experiment, registry: Registry) -> Experiment | None:
    """The experiment of the run that the agent of another is `from`; None where it is from none.

    Raises UserError for another agent, for a run that learned nothing, and for what only that run's folder names and
    nobody trusts: to be asked before anything of it is imported.
    """
    folder = experiment.agent.origin
    if folder is None:
        return None
    origin = Experiment.load(file := file_in(folder))
    if _parts(origin) != _parts(experiment):
        raise UserError(f"[agent] from: the agent of {folder} is another than is written beside it: leave that out")
    found = list(untrusted({**_parts(origin), "env": {"id": experiment.env.id}}, registry))
    if found and experiment.agent.parameters.get("trust") is not True:
        raise UserError(
            f"{file} names {listed(found)}, which is neither installed nor named here, or which may say where to "
            "write: look into it, then it is used with trust = true under [agent]"
        )
    if not origin.learn.steps:
        raise UserError(
            f"[agent] from: the run in {folder} learned nothing: name its agent {origin.agent.name} instead"
        )
    return origin


def put_origin_in(
    agent: Agent, environment: Environment, folder: str, origin: Experiment, device: str
) -> dict[str, str]:
    """Give an agent on a device what that of the run in a folder has learned, whose experiment is `origin`.

    Returns the SHA-256 of the checkpoint by its path. Raises UserError for what does not fit.
    """
    start = start_of(folder)
    put_in(agent, environment, origin.on(device), start, own_world=False)
    return {str(start.path / ABOUT): sha256_of(start.path / ABOUT)}


def start_of(folder: str | Path) -> Checkpoint:
    """The latest checkpoint of learning in a run's folder. Raises UserError where there is none."""
    start = next((each for each in sound(RunFolder(folder)) if each.about["phase"] == "learn"), None)
    if start is None:
        raise UserError(f"{folder} holds no checkpoint of its learning: let it learn, with `agentic run --resume`")
    return start


def put_in(agent: Agent, world: Environment, table: Experiment, start: Checkpoint, *, own_world: bool) -> None:
    """Give an agent what another of the same `table` had learned. Raises UserError where it does not fit."""
    recorder, dtype = Recorder(world, None), getattr(torch, table.run.dtype)
    going = Going(agent, world, table.schedule, recorder, seed=table.run.seed, dtype=dtype, device=table.run.device)
    saver = Saver(going, RunFolder(start.path.parent), Checkpoints())
    saver.put_agent_back(start, own_world=own_world)
    if table.run.device != "cpu":
        agent.to(table.run.device)
    if agent.learner is not None:
        agent.learner.finish()
    recorder.close()


def _parts(experiment: Experiment) -> dict[str, Any]:
    """The tables of the agent, without whose it is."""
    tables = {name: part for name, part in experiment.tables().items() if name in ("agent", *TOP)}
    return {**tables, "agent": {key: part for key, part in tables["agent"].items() if key not in ORIGIN}}
