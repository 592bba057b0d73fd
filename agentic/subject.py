"""What is measured: what an agent did, the agent itself, the world it lives in, and that world changed.

A metric takes the parts it needs. Whoever only has a record can measure what records tell; whoever offers agent and
world can have them run again with something changed, which is the only way to tell a planner from its clone.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self, final

from agentic.agent import Agent, Change
from agentic.errors import UserError

if TYPE_CHECKING:
    import gymnasium

    from agentic.record import Record

Part = Literal["record", "agent", "environment"]


@final
@dataclass(frozen=True)
class Intervention:
    """A change of the world: `apply` makes the changed environment from the unchanged one.

    `change` is what the agent is told of it; None: nothing, it must find out.
    """

    name: str
    apply: "Callable[[gymnasium.Env[Any, Any]], gymnasium.Env[Any, Any]]"
    change: Change | None = None


@final
@dataclass(frozen=True)
class Subject:
    """What is being measured; a part that is not offered is None.

    `record` is what happened, `agent` and `environment` (a function that makes a fresh single environment) allow to
    look closer, to run again and to intervene.
    """

    record: "Record | None" = None
    agent: Agent | None = None
    environment: "Callable[[], gymnasium.Env[Any, Any]] | None" = None

    def under(self, intervention: Intervention) -> Self:
        """The sealed agent (a deep copy that does not learn) in the changed world, told what is announced."""
        make, agent = self.environment, deepcopy(self.agent)
        if make is None or agent is None:
            raise UserError(f"intervention {intervention.name} needs an agent and an environment to run it in")
        agent.learner = None
        if intervention.change is not None:
            agent = agent.told(intervention.change)
        return replace(self, record=None, agent=agent, environment=lambda: intervention.apply(make()))
