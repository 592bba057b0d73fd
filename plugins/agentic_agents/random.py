"""The random policy: what chance alone achieves."""

from typing import NamedTuple, Self, final

import torch
from torch import Tensor

from agentic import Agent, Categorical, Decision, Domain, Environment, Simplex

AHEAD = 256  # rows drawn at once: a draw costs as much as the rest of a tick


@final
class Draws(NamedTuple):
    """Actions (b, *event) drawn ahead, how many of them were used, and the policy where actions are discrete."""

    actions: tuple[Tensor, ...] = ()
    used: int = 0
    policy: Categorical | None = None

    def where(self, mask: Tensor, other: Self) -> Self:
        """The draws of `other`, whatever ended: they are independent, so that those already made go on."""
        return other


@final
class RandomAgent(Agent):
    """The uniform policy over the action domain; where a side is unbounded, as Gymnasium's `Box.sample` draws."""

    reference = True

    def __init__(self, action: Domain) -> None:
        self.action, self._center = action, action.center(1)

    @classmethod
    def from_env(cls, env: Environment) -> Self:
        return cls(env.action)

    def start(self, batch: int, *, generator: torch.Generator) -> Draws:
        if not isinstance(self.action, Simplex):
            return Draws()
        return Draws(policy=Categorical(self._center.clone().expand(batch, -1), self.action.sizes))

    def decide(self, state: Draws, obs: Tensor, *, generator: torch.Generator) -> Decision:
        if state.used == len(state.actions):
            ticks = max(8, AHEAD // len(obs))
            drawn = self.action.draw(ticks * len(obs), generator=generator, dtype=obs.dtype)
            state = Draws(drawn.view(ticks, len(obs), *self.action.event).unbind(), 0, state.policy)
        return Decision(state.actions[state.used], Draws(state.actions, state.used + 1, state.policy), state.policy)
