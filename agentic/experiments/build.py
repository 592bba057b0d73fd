"""Agents and environments built from experiments: every name is a component that is checked before anything runs."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from agentic.agents.agent import Agent
from agentic.environments.environment import Environment, make
from agentic.errors import BREAKS, RunError, UserError, described
from agentic.experiments.agent_file import with_file
from agentic.experiments.agent_parts import AgentMaker, check_spaces
from agentic.experiments.experiment import Experiment
from agentic.experiments.memory import refused, within_memory
from agentic.experiments.origin import origin_of, put_origin_in
from agentic.experiments.worlds import world_of
from agentic.metrics.subject import Subject
from agentic.plugins.making import Making
from agentic.plugins.registry import Registry
from agentic.runs.checkpoint import Checkpoint
from agentic.runs.folder import RunFolder
from agentic.runs.logger import Logger
from agentic.runs.record import Record
from agentic.runs.run import Progress, Restart, go_on, run
from agentic.runs.schedule import Checkpoints, Recording

Observer = Callable[[Progress], None]


@dataclass(frozen=True)
class Built:
    """An agent and the environment it was made for, ready to run, and a plain row for each component of the two.

    `loggers` are told of what `run` and `go_on` do; see `with_loggers`.
    """

    experiment: Experiment
    agent: Agent
    environment: Environment
    components: list[dict[str, Any]]
    loggers: tuple[Logger, ...] = ()

    def with_loggers(self, registry: Registry) -> "Built":
        """The same with the loggers of its experiment. Raises UserError for one that cannot be made.

        Only who runs an experiment has them made: measuring, evaluating or reproducing one logs nothing.
        """
        rows: list[dict[str, Any]] = []
        making = Making(registry, self.environment, rows)
        tables = [table.model_dump() for table in self.experiment.loggers]
        made = tuple(making.maker(Logger, table, "[[loggers]]")() for table in tables)
        return replace(self, loggers=made, components=[*self.components, *rows])

    def run(self, folder: str | Path | None = None, observer: Observer | None = None) -> Record:
        """The record of one run, kept in `folder` beside the resolved file; None keeps the record in memory.

        Sets the number of threads torch computes with, on which digits depend. Raises RunError for what fails; see
        `agentic.run`.
        """
        if folder is not None:
            self.experiment.save(RunFolder(folder).experiment_file)
        return self._run(run, folder, observer=observer)

    def go_on(self, folder: RunFolder, start: Checkpoint | None, more: bool, observer: Observer | None) -> Record:
        """The record of the run in a folder, which goes on from a checkpoint; see `agentic.runs.run.go_on`."""

        def begin() -> None:
            if more:
                self.experiment.save(folder.experiment_file)

        return self._run(go_on, folder.path, observer=observer, restart=Restart(start, more, begin))

    def _run(self, go: Callable[..., Record], folder: str | Path | None, **more: Any) -> Record:
        table, world = self.experiment.run, self.environment
        torch.set_num_threads(table.threads)
        every = Checkpoints(table.checkpoint_minutes, table.checkpoint_steps)
        recording = Recording(folder, table.candidates, self.components, every, self.loggers, table.world)
        more |= {"seed": table.seed, "dtype": getattr(torch, table.dtype), "device": table.device}
        try:
            return go(self.agent, world, self.experiment.schedule, recording, **more)
        finally:
            world.close()

    def subject(
        self,
        folder: str | Path | None = None,
        observer: Observer | None = None,
        *,
        learning: bool = False,
    ) -> Subject:
        """The subject of one run, as `run` does it: the record, the agent and its world.

        The agent is as it is then: sealed, or going on `learning` where a metric lets it.
        """
        copies = self.environment.copies()
        record = self.run(folder, observer)
        if self.experiment.run.device != "cpu":
            self.agent.to("cpu")  # where metrics ask it
        if self.experiment.learn.steps and self.environment.adapts:  # what it learned goes along
            copies = self.environment.copies()
        return Subject(record, self.agent if learning else self.agent.sealed(), copies)


def build(experiment: Experiment, registry: Registry, environment: Environment | None = None) -> Built:
    """The agent and the environment of an experiment, tried on one observation.

    An `environment` that is given takes the place of the one that the experiment names.

    Raises UserError where a name, a parameter or a space does not fit, or parts that do not fit one another.

    >>> import agentic
    >>> experiment = agentic.Experiment.of({"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}})
    >>> built = agentic.build(experiment, agentic.load())
    >>> type(built.agent).__name__, built.environment.id
    ('RandomAgent', 'CartPole-v1')
    """
    _check_device(experiment.run.device)
    origin, folder = origin_of(experiment, registry), experiment.agent.origin
    registry = with_file(registry, experiment.agent.name)
    environment, rows = world_of(experiment, registry) if environment is None else (environment, [])
    world = len(rows)
    try:
        with within_memory():
            agent = AgentMaker(registry, environment, rows).agent(experiment)
        if experiment.run.device != "cpu":
            agent.to(experiment.run.device)
        if experiment.learn.steps and agent.learner is None:
            raise UserError(
                f"[learn] steps = {experiment.learn.steps}, but the agent {experiment.agent.name} has nothing that "
                "learns: give it a table [learner], or leave the steps out"
            )
        if origin is not None and folder is not None:
            own = next(row for row in rows if row["kind"] == "agents" and "from" in row["parameters"])
            own["files"] = put_origin_in(agent, environment, folder, origin, experiment.run.device)
            check_spaces(vars(agent).values(), environment)
        with within_memory():
            if experiment.run.world:
                environment.states()  # refused before there is a folder
            _rehearse(agent, environment, experiment, parts=origin is not None or len(rows) > world + 1)
    except BaseException as error:
        if rows[:world]:
            environment.close()
        if asked := refused(error):
            seen, done = environment.observation.size, environment.action.size
            raise UserError(
                f"the agent {experiment.agent.name} asks for {asked} at once in {environment.id}, which shows {seen:,} "
                f"numbers and takes {done:,}, more than half of what is free: show it less ([env] wrappers, see "
                "`agentic envs`), or take an agent without a model, as --agent random or a policy of yours"
            ) from error
        raise
    return Built(experiment, agent, environment, rows)


def _check_device(name: str) -> None:
    """Raises UserError for a device that this machine, or this build of torch, does not have."""
    kind, _, place = name.partition(":")
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if not (place or "0").isdecimal() or int(place or 0) >= counts.get(kind, 0):
        raise UserError(
            f"torch {torch.__version__} finds no device {name!r} here: choose another by --device, as cpu, or install "
            "torch for it"
        )


def _rehearse(agent: Agent, environment: Environment, experiment: Experiment, *, parts: bool) -> None:
    """One decision by copies of the two, for what solvers only say of what they are given. Raises UserError.

    So is what goes wrong in an agent put together from parts. What breaks in any other agent, is not a number or cannot
    be copied is left to the run, where it is recorded.
    """
    dtype = getattr(torch, experiment.run.dtype)
    try:
        draws = torch.Generator().manual_seed(experiment.run.seed)
        again, world = deepcopy(agent), make(environment.copies(), envs=environment.batch)
        obs = world.encode(world.reset(range(environment.batch)), dtype).to(experiment.run.device)
    except BREAKS:
        return
    try:
        again.decide(again.start(environment.batch, generator=draws), obs, generator=draws)
    except (UserError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if parts and not isinstance(error, RunError):
            name = experiment.agent.name
            raise UserError(
                f"the parts of the agent {name} do not fit {environment.id} or one another, {described(error)}: "
                "check their sizes and what they return"
            ) from error
