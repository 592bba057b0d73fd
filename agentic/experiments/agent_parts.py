"""Agents put together from their parts: each is made from a table of its own.

Each parameter of an agent's class that asks for a component is such a part. Those that every experiment file knows
(`model`, `goal`, `inference`, `planner`, `learner`) stand at the top, all others within the agent's table. A `Purpose`
is put together from the tables of the goal and the planner.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agentic.agents.agent import Agent
from agentic.engine.domain import Simplex
from agentic.environments.environment import Environment
from agentic.errors import UserError
from agentic.experiments.agent_file import with_file
from agentic.experiments.experiment import ORIGIN, SHARED, TOP, Experiment, PlannerTable
from agentic.learning.learner import Learner
from agentic.models.model import Model
from agentic.planning.expected_energy import Purpose
from agentic.plugins.contracts import Contract, asked, members, only
from agentic.plugins.making import Making, is_table, no_component
from agentic.plugins.parameters import Accepted, accepted
from agentic.plugins.registry import Registry


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
    for name in takes.names:
        annotation, needed = takes.annotation(name), takes.needs(name)
        contract = asked(annotation)
        if annotation is Purpose:
            found[name] = Place(Purpose, f"{prefix}goal", needed)
        elif contract is not None and only(annotation) and not _asks(contract, Agent):
            found[name] = Place(contract, f"{prefix}{name}" if name in TOP else f"{inside}.{name}", needed)
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
    """The maker of the agent of an experiment, for its environment; `rows` collects a row for each component."""

    registry: Registry
    environment: Environment
    rows: list[dict[str, Any]] = field(default_factory=list)

    def agent(self, experiment: Experiment, inside: str = "agent") -> Agent:
        """The agent with all its parts. Raises UserError for tables it lacks or has no use for."""
        table = experiment.agent
        takes = accepted(self.registry.find(Agent, table.name, f"[{inside}]")[1])
        there = places(takes, inside)
        found = {name: self._table(experiment, name, place) for name, place in there.items()}
        given = {name: content for name, content in found.items() if content is not None}
        _check(experiment, takes, [place for name, place in there.items() if place.needed and name not in given])
        parts: dict[str, Any] = {}
        for name in sorted(given, key=lambda name: _asks(there[name].contract, Learner)):  # that one takes the model
            contract, where = there[name].contract, there[name].where
            if contract is Purpose:
                parts[name] = self._purpose(given[name], experiment.planner, where)
            else:
                models = [part for part in parts.values() if isinstance(part, Model) and _asks(contract, Learner)]
                parts[name] = self._part(contract, given[name], where, *models[:1])
        check_spaces(parts.values(), self.environment)
        own = {key: value for key, value in table.model_dump(exclude_none=True).items() if key not in there}
        nested = [name for name, place in there.items() if place.where == f"{inside}.{name}"]
        nested += ORIGIN if inside == "agent" and table.origin is not None else ()
        made: Agent = self._making().maker(Agent, own, f"[{inside}]", parts=there, others=nested)(**parts)
        return made

    def _making(self) -> Making:
        return Making(self.registry, self.environment, self.rows, self._inner)

    def _table(self, experiment: Experiment, name: str, place: Place) -> Any:
        """The content of a place's table; None where there is none."""
        key = "goal" if place.contract is Purpose else name
        tables = experiment if key in TOP else experiment.agent
        content = tables.model_dump(exclude_none=True).get(key)
        if content is not None and not is_table(content):
            raise no_component(self.registry, place.contract, content, f"[{place.where}]")
        return content

    def _part(self, contract: Contract, content: Mapping[str, Any], where: str, *leading: Any) -> Any:
        others = SHARED if where.rpartition(".")[2] == "planner" else ()
        return self._making().maker(contract, content, f"[{where}]", len(leading), others=others)(*leading)

    def _purpose(self, goal: Mapping[str, Any], planner: PlannerTable | None, where: str) -> Purpose:
        takes, table = accepted(Purpose), planner or PlannerTable(name="none")
        parts = {"goal": self._part(asked(takes.annotation("goal")), goal, where)}
        for key, content in table.model_dump(exclude_none=True, include={"gain", "effort", "terminal"}).items():
            place = f"{where.removesuffix('goal')}planner.{key}"
            parts[key] = self._part(asked(takes.annotation(key)), content, place)
        return Purpose(horizon=table.horizon, discount=table.discount, **parts)

    def _inner(self, contract: Contract | None, value: Mapping[str, Any], where: str) -> Agent | None:
        """An agent within an agent: its table may hold those of its own parts, as in a file of its own."""
        name = str(value["name"])
        registry = with_file(self.registry, name)
        if not (registry.offers("agents", name) if contract is None else _asks(contract, Agent)):
            return None
        where = where.strip("[]")
        parts = {key: value[key] for key in TOP if isinstance(value.get(key), Mapping)}
        own = {key: part for key, part in value.items() if key not in parts}
        tables = {"env": {"id": self.environment.id}, "agent": own, **parts}
        experiment = Experiment.of(tables, source=f"[{where}] ")
        return replace(self, registry=registry).agent(experiment, where)


def _asks(contract: Contract, kind: type[Any]) -> bool:
    """Whether a contract asks for an object of this class, be it for one of several."""
    return issubclass(members(contract)[0], kind)


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


def check_spaces(parts: Iterable[Any], environment: Environment) -> None:
    """The models among the parts speak of the observations and the actions of their environment."""
    models = [part for part in parts if isinstance(part, Model)]
    seen = [("observation", model.outcome, environment.observation) for model in models]
    for space, ours, theirs in [*seen, *(("action", model.action, environment.action) for model in models)]:
        if ours.event != theirs.event or isinstance(ours, Simplex) != isinstance(theirs, Simplex):
            raise UserError(
                f"the {space} space of {environment.id} is {theirs}, but the model has {ours}: "
                "choose another model, or wrap the environment"
            )
