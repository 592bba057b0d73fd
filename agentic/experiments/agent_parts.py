"""An agent with its parts: each parameter of its class that asks for a component is filled from a table of its own.

The parts that every experiment file knows (`model`, `goal`, `inference`, `planner`, `learner`) stand at the top, all
others within the agent's table. A `Purpose` is put together from the tables of the goal and the planner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from inspect import Parameter
from typing import Any

from agentic.agents.agent import Agent
from agentic.engine.domain import Simplex
from agentic.environments.environment import Environment
from agentic.errors import UserError
from agentic.experiments.agent_file import with_file
from agentic.experiments.experiment import Experiment, PlannerTable
from agentic.learning.learner import Learner
from agentic.models.model import Model
from agentic.planning.expected_energy import Purpose
from agentic.plugins.contracts import Contract, asked, members, only
from agentic.plugins.making import Making, is_table, no_component
from agentic.plugins.parameters import Accepted, accepted
from agentic.plugins.registry import Registry

TOP = ("model", "goal", "inference", "planner", "learner")  # the tables of parts that stand at the top of a file
SHARED = PlannerTable.model_fields.keys() - {"name"}  # keys of [planner] that are the purpose's


@dataclass(frozen=True)
class Place:
    """A parameter of an agent that asks for a component: the table it is filled from, as written in brackets."""

    contract: Contract
    where: str
    needed: bool


def places(takes: Accepted, inside: str = "agent") -> dict[str, Place]:
    """The places of an agent, by parameter; that of its purpose is filled from the table of the goal."""
    found = {}
    prefix = "" if inside == "agent" else f"{inside}."
    for name, parameter in takes.names.items():
        annotation = parameter.annotation
        if annotation is Parameter.empty or isinstance(annotation, str):
            continue
        if annotation is Purpose:
            found[name] = Place(Purpose, f"{prefix}goal", takes.needs(name))
        elif (contract := asked(annotation)) is not None and only(annotation) and not _is_agent(contract):
            where = f"{prefix}{name}" if name in TOP else f"{inside}.{name}"
            found[name] = Place(contract, where, takes.needs(name))
    return found


def unused(experiment: Experiment, takes: Accepted) -> list[str]:
    """The tables at the top of a file that such an agent has no use for."""
    there = places(takes).values()
    filled = {place.where for place in there}
    if Purpose in [place.contract for place in there]:
        filled.add("planner")
    return [table for table in TOP if table not in filled and getattr(experiment, table) is not None]


@dataclass(frozen=True)
class AgentMaker:
    """What makes the agent of an experiment for its environment; `rows` collects a row for each component."""

    registry: Registry
    environment: Environment
    rows: list[dict[str, Any]] = field(default_factory=list)

    def agent(self, experiment: Experiment, inside: str = "agent") -> Agent:
        """The agent with all its parts. Raises UserError for tables it lacks or has no use for."""
        table = experiment.agent
        _, target = self.registry.find(Agent, table.name, f"[{inside}]")
        takes = accepted(target)
        there = places(takes, inside)
        given = {name: self._table(experiment, name, place) for name, place in there.items()}
        _check(experiment, takes, [place for name, place in there.items() if place.needed and given[name] is None])
        parts: dict[str, Any] = {}
        for name in sorted(there, key=lambda name: _learns(there[name].contract)):
            content, place = given[name], there[name]
            if content is None:
                continue
            if place.contract is Purpose:
                parts[name] = self._purpose(content, experiment.planner, place.where)
                continue
            models = [part for part in parts.values() if isinstance(part, Model)][:1]
            leading = models if _learns(place.contract) else []
            parts[name] = self._part(place.contract, content, place.where, *leading)
        for part in parts.values():
            if isinstance(part, Model):
                _check_spaces(part, self.environment)
        own = {key: value for key, value in table.model_dump(exclude_none=True).items() if key not in there}
        nested = [name for name, place in there.items() if place.where == f"{inside}.{name}"]
        made: Agent = self._making().maker(Agent, own, f"[{inside}]", parts=there, others=nested)(**parts)
        return made

    def _making(self) -> Making:
        return Making(self.registry, self.environment, self.rows, self._inner)

    def _table(self, experiment: Experiment, name: str, place: Place) -> Any:
        """The content of a place's table; None where there is none."""
        key = "goal" if place.contract is Purpose else name
        if key in TOP:
            found = getattr(experiment, key)
            return None if found is None else found.model_dump(exclude_none=True)
        content = experiment.agent.model_dump(exclude_none=True).get(name)
        if content is not None and not is_table(content):
            raise no_component(self.registry, place.contract, content, f"[{place.where}]")
        return content

    def _part(self, contract: Contract, content: Mapping[str, Any], where: str, *leading: Any) -> Any:
        others = SHARED if where.rpartition(".")[2] == "planner" else ()
        return self._making().maker(contract, content, f"[{where}]", len(leading), others=others)(*leading)

    def _purpose(self, goal: Mapping[str, Any], planner: PlannerTable | None, where: str) -> Purpose:
        inside = where.removesuffix("goal")
        takes, table = accepted(Purpose), planner or PlannerTable(name="none")
        parts = {"goal": self._part(asked(takes.names["goal"].annotation), goal, where)}
        for key in ("gain", "effort", "terminal"):
            if (content := getattr(table, key)) is not None:
                contract, content = asked(takes.names[key].annotation), content.model_dump(exclude_none=True)
                parts[key] = self._part(contract, content, f"{inside}planner.{key}")
        return Purpose(horizon=table.horizon, discount=table.discount, **parts)

    def _inner(self, contract: Contract | None, value: Mapping[str, Any], where: str) -> Agent | None:
        """An agent within an agent: its table may hold those of its own parts, as in a file of its own."""
        name = str(value["name"])
        registry = with_file(self.registry, name)
        known = any(c.kind == "agents" and name in (c.name, c.full_name) for c in registry.components)
        if not (known if contract is None else _is_agent(contract)):
            return None
        where = where.strip("[]")
        parts = {key: value[key] for key in TOP if isinstance(value.get(key), Mapping)}
        own = {key: part for key, part in value.items() if key not in parts}
        tables = {"env": {"id": self.environment.id}, "agent": own, **parts}
        experiment = Experiment.of(tables, source=f"[{where}] ")
        return replace(self, registry=registry).agent(experiment, where)


def _is_agent(contract: Contract) -> bool:
    return issubclass(members(contract)[0], Agent)


def _learns(contract: Contract) -> bool:
    """Whether it asks for a learner, which is handed the agent's model and so made last."""
    return issubclass(members(contract)[0], Learner)


def _check(experiment: Experiment, takes: Accepted, lacking: list[Place]) -> None:
    name = experiment.agent.name
    left = [f"[{table}]" for table in unused(experiment, takes)]
    if experiment.agent.selection is not None and "selection" not in takes.names:
        left.append("selection under [agent]")
    if left:
        raise UserError(f"the agent {name} does not use {', '.join(left)}: leave that out, or choose another agent")
    if lacking:
        tables = ", ".join(f"[{place.where}]" for place in lacking)
        raise UserError(f"the agent {name} needs the table(s) {tables}: add them, each with the name of a component")


def _check_spaces(model: Model, environment: Environment) -> None:
    """A model speaks of the observations and the actions of its environment."""
    spaces = (("observation", model.outcome, environment.observation), ("action", model.action, environment.action))
    for space, ours, theirs in spaces:
        if ours.event != theirs.event or isinstance(ours, Simplex) != isinstance(theirs, Simplex):
            raise UserError(
                f"the {space} space of {environment.id} is {theirs}, but the model has {ours}: "
                "choose another model, or wrap the environment"
            )
