"""From an experiment to an agent in a world: names become components, each checked before anything runs.

One rule serves every component: its parameters are those of its `from_env(environment, ...)` where it has one, else of
its constructor, and a table with a `name` among them is a component of the same kind. An agent is handed the parts
that its own constructor names.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import torch

from agentic.agents.agent import Agent
from agentic.engine.domain import Simplex
from agentic.environments.environment import Environment, make
from agentic.errors import UserError, listed, suggest
from agentic.experiments.agent_file import with_file
from agentic.experiments.experiment import Experiment, Named, PlannerTable
from agentic.experiments.parameters import Accepted, accepted, maker
from agentic.metrics.metric import Metric
from agentic.metrics.subject import Subject
from agentic.planning.expected_energy import Purpose
from agentic.plugins import Component, Registry
from agentic.runs.allocator import keep_freed_memory
from agentic.runs.record import Record
from agentic.runs.run import Progress, run

LIMIT = 1000  # steps of an episode in a world that has no limit of its own: a rock might never come to an end
PARTS = {  # what an agent's constructor may name: the kind and the table it is made from, and a table to start with
    "model": ("energies", "model", "categorical"),
    "purpose": ("energies", "goal", "reward"),
    "inference": ("optimizers", "inference", "mirror"),
    "planner": ("optimizers", "planner", "tree"),
    "learner": ("optimizers", "learner", "conjugate"),
}


@dataclass(frozen=True)
class Built:
    """An agent and the environment it was made for, ready to run, and a plain row for each component of the two."""

    experiment: Experiment
    agent: Agent
    environment: Environment
    components: list[dict[str, Any]]

    def run(self, folder: Path | None = None, observer: Callable[[Progress], None] | None = None) -> Record:
        """Run once and record it in `folder` beside the resolved file; None keeps the record in memory.

        Sets the number of threads torch computes with, and has the process keep memory that it frees. Raises RunError
        for what fails; see `simulate.run`.
        """
        table = self.experiment
        torch.set_num_threads(table.run.threads)
        keep_freed_memory()
        try:
            if folder is not None:
                table.save(folder / "experiment.toml")
            return run(
                self.agent,
                self.environment,
                seed=table.run.seed,
                learn_steps=table.learn.steps,
                warmup=table.learn.warmup,
                hold=table.learn.hold,
                episodes=table.evaluate.episodes,
                folder=folder,
                dtype=getattr(torch, table.run.dtype),
                observer=observer,
                components=self.components,
                candidates=table.run.candidates,
            )
        finally:
            self.environment.close()

    def subject(
        self,
        folder: Path | None = None,
        observer: Callable[[Progress], None] | None = None,
        *,
        learning: bool = False,
    ) -> Subject:
        """Run once, as `run` does, and offer all there is to measure: the record, the agent and its world.

        The agent is as it is then: sealed, or going on `learning` where a metric lets it.
        """
        copies = self.environment.copies()
        record = self.run(folder, observer)
        return Subject(record, self.agent if learning else self.agent.sealed(), copies)


def build(experiment: Experiment, registry: Registry) -> Built:
    """Everything the experiment names. Raises UserError where a name, a parameter or a space does not fit."""
    registry = with_file(registry, experiment.agent.name)
    environment, rows = _world(experiment, registry)
    agent = _Builder(registry, environment, rows).agent(experiment)
    if experiment.learn.steps and agent.learner is None:
        raise UserError(
            f"[learn] steps = {experiment.learn.steps}, but the agent {experiment.agent.name} has nothing that learns: "
            'write [learner] and below it name = "conjugate", or leave the steps out'
        )
    return Built(experiment, agent, environment, rows)


def retarget(experiment: Experiment, name: str, registry: Registry) -> Experiment:
    """The same world and schedule for the agent `name`, with only those tables that it takes."""
    if name == experiment.agent.name:
        return experiment
    takes = accepted(registry.resolve("agents", name))
    dropped = {*_unused(experiment, takes), *(() if "learner" in takes.names else ("learn",))}
    kept = {table: content for table, content in experiment.tables().items() if table not in dropped}
    return Experiment.of({**kept, "agent": {"name": name}})


def gymnasium_id(name: str, registry: Registry) -> str:
    """The id under which Gymnasium knows an environment, which may be given by a component's name.

    A component that no id stands for is registered under its full name, in place of what that plugin had there before.
    """
    if not any(c.kind == "envs" and name in (c.name, c.full_name) for c in registry.components):
        return name
    found = registry.component("envs", name)
    for known, spec in gymnasium.registry.items():
        if spec.entry_point == found.target:
            return known
    gymnasium.registry.pop(found.full_name, None)
    gymnasium.register(found.full_name, entry_point=found.target)  # type: ignore[arg-type]  # a class makes one too
    return found.full_name


def change(registry: Registry, table: Named, label: str) -> Callable[[Any], Any]:
    """A function that wraps a single environment in a component of kind envs; `label` names it in messages."""
    found, wrapper = registry.component("envs", table.name), registry.resolve("envs", table.name)
    if not (isinstance(wrapper, type) and issubclass(wrapper, gymnasium.Wrapper)):
        raise UserError(f"{label} is an environment: a change must be a gymnasium.Wrapper")
    made: Callable[[Any], Any] = maker(wrapper, accepted(wrapper, 1), table.parameters, label, found.plugin)
    return made


def metric_of(table: Named, registry: Registry) -> Metric:
    """The metric of that name with those parameters. Raises UserError where either does not fit."""
    found, target = registry.component("metrics", table.name), registry.resolve("metrics", table.name)
    metric = maker(target, accepted(target), table.parameters, f"metric {table.name}", found.plugin)()
    if not isinstance(metric, Metric):
        raise UserError(f"metric {table.name} of plugin {found.plugin} is not an agentic.Metric, tell its author")
    return metric


def limited(experiment: Experiment, registry: Registry) -> Experiment:
    """The same with episodes cut at `LIMIT` steps, in a world where nothing but the agent need ever end one."""
    found = gymnasium.registry.get(gymnasium_id(experiment.env.id, registry).rpartition(":")[2])
    if found is None or found.max_episode_steps is not None or "max_episode_steps" in experiment.env.kwargs:
        return experiment
    if any(c.target == found.entry_point and c.plugin == "agentic" for c in registry.components):
        return experiment  # built-in worlds count their steps themselves
    return Experiment.of(experiment.tables(), [f"env.kwargs.max_episode_steps={LIMIT}"])


@dataclass
class _Builder:
    registry: Registry
    environment: Environment
    rows: list[dict[str, Any]]

    def agent(self, experiment: Experiment, where: str = "agent") -> Agent:
        """The agent with all its parts. Raises UserError for tables it lacks or has no use for."""
        table, inside = experiment.agent, "" if where == "agent" else f"{where}."
        takes = accepted(self.registry.resolve("agents", table.name))
        _check_tables(experiment, takes)
        parts: dict[str, Any] = {}
        for part, (kind, name, _) in PARTS.items():
            content = getattr(experiment, name)
            if part in takes.names and content is not None:
                leading = (parts.get("model"),) if part == "learner" else ()
                parts[part] = self.component(kind, content, f"{inside}{name}", *leading)
        if "model" in parts:
            _check_spaces(parts["model"], self.environment)
        if "purpose" in parts:
            parts["purpose"] = self._purpose(parts["purpose"], experiment.planner or PlannerTable(name="none"))
        if table.selection is not None:
            parts["selection"] = self.component("optimizers", table.selection, f"{where}.selection")
        agent = self.component("agents", table, where, **parts)
        if not isinstance(agent, Agent):
            raise UserError(f"[{where}] {table.name} is not an agentic.Agent but a {type(agent).__name__}")
        return agent

    def component(self, kind: str, table: Named, where: str, *leading: Any, **parts: Any) -> Any:
        """One component, made from its table and from what is `leading` and `parts` that the file does not say."""
        found, target = self.registry.component(kind, table.name), self.registry.resolve(kind, table.name)
        self.rows.append(_row(found, table.model_dump(exclude={"name"}, exclude_none=True)))
        given = {key: self._nested(kind, value, f"{where}.{key}") for key, value in table.parameters.items()}
        takes = accepted(target, len(leading))
        if kind == "agents":  # its parts have tables of their own
            for part in (*PARTS, "selection"):
                takes.names.pop(part, None)
        make = maker(target, takes, given, f"[{where}] {table.name}", found.plugin, *type(table).model_fields)
        return make(*([self.environment] if hasattr(target, "from_env") else []), *leading, **parts)

    def _nested(self, kind: str, value: Any, where: str) -> Any:
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            if kind == "agents":
                return self._inner(value, where)
            return self.component(kind, Named(**value), where)
        return [self._nested(kind, part, where) for part in value] if isinstance(value, list) else value

    def _inner(self, value: Mapping[str, Any], where: str) -> Agent:
        """An agent within an agent: its table may hold those of its own parts, as in a file of its own."""
        parts = {name: value[name] for _, name, _ in PARTS.values() if isinstance(value.get(name), Mapping)}
        own = {key: part for key, part in value.items() if key not in parts}
        tables = {"env": {"id": self.environment.id}, "agent": own, **parts}
        experiment = Experiment.of(tables, source=f"[{where}] ")
        return replace(self, registry=with_file(self.registry, experiment.agent.name)).agent(experiment, where)

    def _purpose(self, goal: Any, table: PlannerTable) -> Purpose:
        gain = None if table.gain is None else self.component("energies", table.gain, "planner.gain")
        more = {"effort": table.effort, "terminal": table.terminal}
        made = {key: self.component("energies", part, f"planner.{key}") for key, part in more.items() if part}
        return Purpose(goal, table.horizon, gain, discount=table.discount, **made)


def _world(experiment: Experiment, registry: Registry) -> tuple[Environment, list[dict[str, Any]]]:
    """The environment, and the rows of it and of its changes."""
    table = experiment.env
    name = gymnasium_id(table.id, registry)
    changes = [change(registry, each, f"[env.changes] {each.name}") for each in table.changes]
    environment = make(name, envs=experiment.run.envs, kwargs=table.kwargs, changes=changes)
    target = gymnasium.spec(name.rpartition(":")[2]).entry_point or ""
    found = next((c for c in registry.components if c.target == target), None)
    if found is None:
        package = getattr(target, "__module__", str(target)).partition(":")[0].partition(".")[0]
        release = getattr(sys.modules.get(package), "__version__", None)
        found = Component("envs", name, package, release, "installed", str(target))
    rows = [_row(registry.component("envs", each.name), each.parameters) for each in table.changes]
    return environment, [_row(found, table.kwargs), *rows]


def _row(found: Component, parameters: Mapping[str, Any]) -> dict[str, Any]:
    row = {key: getattr(found, key) for key in ("kind", "name", "plugin", "version", "sha256")}
    return {**row, "parameters": json.loads(json.dumps(dict(parameters)), parse_constant=str)}  # inf is no JSON


def _core(table: Named, where: str, classes: Mapping[str, Any]) -> Any:
    """One of the core's own classes."""
    label, target = f"[{where}] {table.name}", classes.get(table.name)
    if target is None:
        raise UserError(f"{label} is unknown{suggest(table.name, classes)}; known: {listed(classes)}")
    return maker(target, accepted(target), table.parameters, label, "agentic")()


def _unused(experiment: Experiment, takes: Accepted) -> list[str]:
    """The tables of the file that such an agent has no use for."""
    tables = [table for part, (_, table, _) in PARTS.items() if part not in takes.names]
    return [table for table in tables if getattr(experiment, table) is not None]


def _check_tables(experiment: Experiment, takes: Accepted) -> None:
    name = experiment.agent.name
    unused = [f"[{table}]" for table in _unused(experiment, takes)]
    if experiment.agent.selection is not None and "selection" not in takes.names:
        unused.append("selection under [agent]")
    if unused:
        raise UserError(f"the agent {name} does not use {', '.join(unused)}: leave that out, or choose another agent")
    lacking = [(t, start) for part, (_, t, start) in PARTS.items() if takes.needs(part) and not getattr(experiment, t)]
    if lacking:
        tables = ", ".join(f"[{table}]" for table, _ in lacking)
        lines = ", ".join(f'--set {table}.name="{start}"' for table, start in lacking)
        raise UserError(f"the agent {name} needs the table(s) {tables}: add them, or try {lines}")


def _check_spaces(model: Any, environment: Environment) -> None:
    """A model speaks of the observations and the actions of its environment."""
    spaces = (("observation", model.outcome, environment.observation), ("action", model.action, environment.action))
    for space, ours, theirs in spaces:
        if ours.event != theirs.event or isinstance(ours, Simplex) != isinstance(theirs, Simplex):
            raise UserError(
                f"the {space} space of {environment.id} is {theirs}, but the model has {ours}: "
                "choose another model, or wrap the environment"
            )
