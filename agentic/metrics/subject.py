"""What is measured: what an agent did, the agent itself, the world it lives in, and that world changed.

A metric takes the parts it needs. Whoever only has a record can measure what records tell; whoever offers agent and
world can have them run again with something changed, which is the only way to tell a planner from its clone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, final

import gymnasium

from agentic.agents.agent import Agent
from agentic.agents.policy_agent import PolicyAgent
from agentic.environments.environment import make
from agentic.errors import UserError
from agentic.metrics.intervention import Intervention
from agentic.runs.minari import load_dataset, record_of
from agentic.runs.record import Record
from agentic.runs.run import run

Part = Literal["record", "agent", "environment"]


@final
@dataclass(frozen=True)
class Subject:
    """What is being measured; a part that is not offered is None.

    `record` is what happened, `agent` and `environment` (a function that makes a fresh single environment) allow to
    look closer, to run again and to intervene. `interventions` are those that were decided on: a metric that compares
    before and after takes them in place of its own.
    """

    record: Record | None = None
    agent: Agent | None = None
    environment: Callable[[], gymnasium.Env[Any, Any]] | None = None
    interventions: tuple[Intervention, ...] = ()

    def under(self, intervention: Intervention) -> Self:
        """The sealed agent (a deep copy that does not learn) in the changed world, told what is announced."""
        make = self.environment
        if make is None or self.agent is None:
            raise UserError(f"intervention {intervention.name} needs an agent and an environment to run it in")
        agent: Agent = self.agent.sealed()
        if intervention.change is not None:
            agent = agent.told(intervention.change)
        return replace(self, record=None, agent=agent, environment=lambda: intervention.apply(make()))

    def recorded(self, *, episodes: int = 20, seed: int = 0) -> Self:
        """With the record of so many episodes of the agent in its environment, learning off."""
        if self.agent is None or self.environment is None:
            raise UserError("to be recorded, a subject needs an agent and an environment: name both in subject_of")
        world = make(self.environment)
        try:
            return replace(self, record=run(self.agent, world, episodes=episodes, seed=seed))
        finally:
            world.close()


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
