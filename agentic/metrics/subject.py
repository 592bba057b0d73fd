"""Subjects of measurements: a record, an agent, the world it lives in, and that world changed.

A metric takes the parts it needs. Whoever only has a record can measure what records tell; whoever offers agent and
world can have them run again with something changed, which is the only way to tell a planner from its clone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, final

import gymnasium

from agentic.agents.agent import Agent, Change
from agentic.agents.policy_agent import PolicyAgent
from agentic.environments.environment import make
from agentic.errors import UserError
from agentic.runs.minari import load_dataset, record_of
from agentic.runs.record import Record
from agentic.runs.run import Schedule, run

Part = Literal["record", "agent", "environment"]
Informed = Literal["both", "goal", "model", "nothing"]
Maker = Callable[[], gymnasium.Env[Any, Any]]
Wrap = Callable[[gymnasium.Env[Any, Any]], gymnasium.Env[Any, Any]]
T = TypeVar("T")


@final
@dataclass(frozen=True)
class Intervention:
    """A change of the world: `apply` makes the changed environment from the unchanged one.

    `change` is what the agent is informed of; None: of nothing, it must find out.
    """

    name: str
    apply: Wrap
    change: Change | None = None

    @classmethod
    def announced(cls, name: str, apply: Wrap, environment: Maker, informed: Informed = "both") -> Self:
        """The change `apply` of what `environment` makes, announced to the agent.

        It is `informed` of its new goal, of the new model, of both or of nothing.
        """
        if informed == "nothing":
            return cls(name, apply)
        world = make(lambda: apply(environment()))
        return cls(name, apply, Change(world if informed != "model" else None, world if informed != "goal" else None))


@final
class Subject:
    """The subject of a measurement: those parts of it that are offered.

    `record` is what happened, `agent` and `environment` (a function that makes a fresh single environment) allow to
    look closer, to run again and to intervene; to ask for a part that is not offered raises UserError. `interventions`
    are those that were decided on: a metric that compares before and after takes them in place of its own.

    >>> import agentic
    >>> subject = agentic.subject_of(lambda observation: 1, "CartPole-v1")
    >>> subject.lacks("record", "agent", "environment")
    ['record']
    >>> len(subject.recorded(episodes=2).record.returns())
    2
    """

    def __init__(
        self,
        record: Record | None = None,
        agent: Agent | None = None,
        environment: Maker | None = None,
        interventions: tuple[Intervention, ...] = (),
    ) -> None:
        self._record, self._agent, self._environment = record, agent, environment
        self.interventions = interventions

    @property
    def record(self) -> Record:
        """What happened. Raises UserError where it is not offered."""
        return _offered("record", self._record)

    @property
    def agent(self) -> Agent:
        """The agent. Raises UserError where it is not offered."""
        return _offered("agent", self._agent)

    @property
    def environment(self) -> Maker:
        """A function that makes a fresh environment. Raises UserError where it is not offered."""
        return _offered("environment", self._environment)

    def lacks(self, *parts: Part) -> list[Part]:
        """The parts, of those named, that are not offered."""
        return [part for part in parts if getattr(self, f"_{part}") is None]

    def having(self, **parts: Any) -> Self:
        """The same subject with other parts or `interventions` in place of its own; None takes a part away."""
        return type(self)(**{name.removeprefix("_"): value for name, value in vars(self).items()} | parts)

    def under(self, intervention: Intervention) -> Self:
        """The sealed agent (a deep copy that does not learn) in the changed world, informed of what is announced."""
        if self.lacks("agent", "environment"):
            raise UserError(f"intervention {intervention.name} needs an agent and an environment to run it in")
        environment, agent = self.environment, self.agent.sealed()
        if intervention.change is not None:
            agent = agent.informed(intervention.change)
        return self.having(record=None, agent=agent, environment=lambda: intervention.apply(environment()))

    def recorded(self, *, episodes: int = 20, seed: int = 0) -> Self:
        """The same subject with the record of so many episodes of its agent in its environment, learning off."""
        if self.lacks("agent", "environment"):
            raise UserError("to be recorded, a subject needs an agent and an environment: name both in subject_of")
        world = make(self.environment)
        try:
            return self.having(record=run(self.agent, world, Schedule(episodes=episodes), seed=seed))
        finally:
            world.close()


def _offered(name: Part, part: T | None) -> T:
    if part is None:
        raise UserError(f"this subject has no {name}: add it, or choose a metric that does without")
    return part


def subject_of(thing: Any, environment: Any = None) -> Subject:
    """The subject that `thing` is: a record, a data set, an agent or a policy, alone or in `environment`.

    `thing` is a Record or the folder of a run; a Minari data set or its id as "minari:..."; an Agent; anything with
    `predict(obs)`, such as a model of Stable-Baselines3; or a function from observation to action, in the
    environment's own form. `environment` is whatever `make` takes; the subject lives in copies of it.

    Raises UserError for anything else, and for a policy without an environment, whose spaces say what it sees.
    """
    world = None if environment is None else make(environment)
    place = None if world is None else world.copies()
    if isinstance(thing, str) and thing.startswith("minari:"):
        thing = load_dataset(thing.removeprefix("minari:"))
    if isinstance(thing, str | Path):
        return Subject(record=Record.open(thing), environment=place)
    if isinstance(thing, Record):
        return Subject(record=thing, environment=place)
    if isinstance(thing, Agent):
        return Subject(agent=thing, environment=place)
    if hasattr(thing, "iterate_episodes"):
        return Subject(record=record_of(thing), environment=place)
    if isinstance(thing, type) or not (hasattr(thing, "predict") or callable(thing)):
        raise UserError(
            f"expected a record, the folder of a run, a Minari data set, an agent, something with predict(obs) or a "
            f"function from observation to action, got {thing!r}"
        )
    if world is None:
        raise UserError("a policy needs its environment: name it, as in subject_of(policy, 'CartPole-v1')")
    return Subject(agent=PolicyAgent(thing, world.observation_layout, world.action_layout), environment=place)
