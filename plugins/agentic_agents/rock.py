"""The null agent: one action whatever happens, which others are compared with."""

from typing import Self, final

import torch
from torch import Tensor

from agentic import Decision, Domain, Environment, Simplex, UserError
from agentic_agents.lookup import Stateless, fixed


@final
class Rock(Stateless):
    """The policy of one action: the first value of every discrete factor, or the point of a box nearest to zero.

    `action` names another value, an index within each factor. Raises UserError where the space has no such value.
    """

    reference = True

    def __init__(self, domain: Domain, action: int | None = None) -> None:
        if action is not None and not (isinstance(domain, Simplex) and 0 <= action < min(domain.sizes)):
            raise UserError(f"action = {action} is not a value of every factor of {domain}: leave it out")
        self.domain = domain
        event = torch.zeros(1, *domain.event, dtype=torch.float64)
        if isinstance(domain, Simplex):
            event = domain.one_hot(torch.full((1, len(domain.sizes)), action or 0))
        self.event = domain.project(event)

    @classmethod
    def from_env(cls, env: Environment, action: int | None = None) -> Self:
        return cls(env.action, action)

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return fixed(self.event.expand(len(obs), *self.domain.event), self.domain, obs)
