"""Interventions: changes of the world, and what an agent is told of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self, final

import gymnasium

from agentic.agents.agent import Change
from agentic.environments.environment import make

Informed = Literal["both", "goal", "model", "nothing"]


@final
@dataclass(frozen=True)
class Intervention:
    """A change of the world: `apply` makes the changed environment from the unchanged one.

    `change` is what the agent is told of it; None: nothing, it must find out.
    """

    name: str
    apply: Callable[[gymnasium.Env[Any, Any]], gymnasium.Env[Any, Any]]
    change: Change | None = None

    @classmethod
    def announced(
        cls,
        name: str,
        apply: Callable[[gymnasium.Env[Any, Any]], gymnasium.Env[Any, Any]],
        environment: Callable[[], gymnasium.Env[Any, Any]],
        informed: Informed = "both",
    ) -> Self:
        """A change of what `environment` makes; the agent is told it as its goal, its model, both or not at all."""
        if informed == "nothing":
            return cls(name, apply)
        world = make(lambda: apply(environment()))
        return cls(name, apply, Change(world if informed != "model" else None, world if informed != "goal" else None))
