"""The constant policy, of a given action."""

from typing import Self, final

import torch
from torch import Tensor

from agentic import Decision, Domain, Environment, Simplex, UserError
from agentic_agents.lookup import Stateless, fixed


@final
class Constant(Stateless):
    """A policy that always takes the given action.

    `action` of a discrete space is an index (the same in every factor) or one for each factor, counted from 0; of a
    box it is a number (the same in every component) or one for each component, in the environment's units.
    Raises UserError for an action that the space does not have.
    """

    def __init__(self, action: Domain, event: Tensor) -> None:
        self.action, self.event = action, event

    @classmethod
    def example(cls) -> Self:
        """The agent that takes the second of two actions."""
        return cls(Simplex((2,)), event_of(Simplex((2,)), 1))

    @classmethod
    def from_env(cls, env: Environment, action: int | float | tuple[float, ...]) -> Self:
        return cls(env.action, event_of(env.action, action))

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return fixed(self.event.expand(len(obs), *self.action.event), self.action, obs)


def event_of(domain: Domain, action: int | float | tuple[float, ...]) -> Tensor:
    """The action as executed, (1, *event) float64, of its indices or its numbers."""
    values = torch.atleast_1d(torch.tensor(action, dtype=torch.float64))
    size = len(domain.sizes) if isinstance(domain, Simplex) else domain.size
    if len(values) in (1, size):
        values = values.expand(1, size)
        if isinstance(domain, Simplex):
            event = domain.one_hot(values.long().clamp(min=0).minimum(torch.tensor(domain.sizes) - 1))
            found = domain.indices(event).to(values)
        else:
            event = values.reshape(1, *domain.event)
            found = domain.project(event).reshape(1, size)
        if torch.equal(found, values):
            return event
    raise UserError(f"action = {action} is not an action of {domain}: give an index or one number for each component")
