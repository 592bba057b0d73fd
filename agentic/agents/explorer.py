"""Exploration before anything was learned: uniform actions, then the agent itself."""

from typing import final

import torch
from torch import Tensor

from agentic.agents.agent import Agent
from agentic.engine.state import State
from agentic.environments.environment import Environment, make
from agentic.tick import Decision


@final
class Explorer(Agent):
    """Uniform actions for the first `steps` steps of all rows, then `agent`, which starts afresh.

    Each lasts `hold` ticks, or 1 to `hold`, as many as chance says, where they `vary`. Actions come from `draws`, a
    random stream of their own, so that the agent's goes on as if it had waited. Meanwhile episodes of `world` are
    truncated after `cut` steps, where that is not 0 and they begin farther apart than random actions reach.
    """

    def __init__(
        self,
        agent: Agent,
        world: Environment,
        steps: int,
        draws: torch.Generator,
        *,
        hold: int = 1,
        vary: bool = False,
        cut: int = 0,
    ) -> None:
        self.agent, self.world, self.steps, self.draws = agent, world, steps, draws
        self.hold, self.vary, self.cut, self.left, self.chosen = hold, vary, cut, 0, torch.empty(0)
        self.seen = list[Tensor]()

    def start(self, batch: int, *, generator: torch.Generator) -> State:
        return self.agent.start(batch, generator=generator)

    def decide(self, state: State, obs: Tensor, *, generator: torch.Generator) -> Decision:
        if self.steps <= 0:
            self.world.limit(0)
            return self.agent.decide(state, obs, generator=generator)
        if len(self.seen) < self.cut:
            self.seen.append(obs)
            if len(self.seen) == self.cut and not _apart(_beginnings(self.world), torch.cat(self.seen)):
                self.cut = 0
        self.world.limit(self.cut)
        if not self.left:
            self.chosen = self.world.action.draw(len(obs), generator=self.draws, dtype=obs.dtype).to(obs.device)
            self.left = int(torch.randint(1, self.hold + 1, (), generator=self.draws)) if self.vary else self.hold
        self.steps, self.left = self.steps - len(obs), self.left - 1
        return Decision(self.chosen, state)


def _beginnings(world: Environment, count: int = 32) -> Tensor:
    """What is seen first in `count` episodes of a copy of the world, (count, *event)."""
    copy = make(world.copies()())
    return torch.cat([copy.encode(copy.reset([seed])) for seed in range(count)])


def _apart(begun: Tensor, seen: Tensor) -> bool:
    """Whether something observed varies more among beginnings (n, *event) than in all that was seen (m, *event)."""
    return bool((begun.flatten(1).var(0) > seen.flatten(1).var(0)).any())
