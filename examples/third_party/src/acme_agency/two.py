"""An actor and a critic that share no model of the world."""

from typing import Self, final

import torch
from torch import Tensor

from agentic import Agent, Categorical, Decision, Energy, Environment, Selection, Simplex, UserError
from agentic.planning import plan_posterior

from .epsilon_greedy import EpsilonGreedy
from .stubborn import Stubborn


@final
class Two(Agent):
    """Each action is a place on a circle; the `critic` says how bad it is there, the `actor` takes one.

    Raises UserError unless an action is one of several.
    """

    def __init__(self, action: Simplex, critic: Energy, actor: Selection, *, radius: float = 1.0) -> None:
        self.action, self.critic, self.actor, self.radius = action, critic, actor, radius
        self.precision = actor.precision

    @classmethod
    def example(cls) -> Self:
        return cls(Simplex((2,)), Stubborn(2.0), EpsilonGreedy())

    @classmethod
    def from_env(cls, env: Environment, critic: Energy, actor: Selection, radius: float = 1.0) -> Self:
        if not isinstance(env.action, Simplex) or len(env.action.sizes) != 1:
            raise UserError(f"two chooses one of several actions and the action space is {env.action}")
        return cls(env.action, critic, actor, radius=radius)

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    @torch.no_grad()
    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        angle = torch.arange(self.action.count, dtype=torch.float64) * (2 * torch.pi / self.action.count)
        places = self.radius * torch.stack([angle.cos(), angle.sin()], -1)
        energies = self.critic(None, places).expand(len(obs), -1)
        policy = Categorical(plan_posterior(energies, self.actor.precision, dim=-1), self.action.sizes)
        action = self.actor.choose(policy, self.action, generator)
        judged = (action.double() * energies).sum(-1)
        return Decision(action.to(obs.dtype), policy=policy, energies={"critic": judged})
