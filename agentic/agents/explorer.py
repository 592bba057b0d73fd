"""Exploration before anything was learned: uniform actions, then the agent itself."""

from typing import final

import torch
from torch import Tensor

from agentic.agents.agent import Agent
from agentic.engine.domain import Domain
from agentic.engine.state import State
from agentic.tick import Decision


@final
class Explorer(Agent):
    """Uniform actions for the first `steps` steps of all rows, then `agent`, which starts afresh.

    Each lasts `hold` ticks, or 1 to `hold`, as many as chance says, where they `vary`. Actions come from `draws`, a
    random stream of their own, so that the agent's goes on as if it had waited.
    """

    def __init__(
        self, agent: Agent, action: Domain, steps: int, hold: int, draws: torch.Generator, *, vary: bool = False
    ) -> None:
        self.agent, self.action, self.steps, self.draws = agent, action, steps, draws
        self.hold, self.vary, self.left, self.chosen = hold, vary, 0, torch.empty(0)

    def start(self, batch: int, *, generator: torch.Generator) -> State:
        return self.agent.start(batch, generator=generator)

    def decide(self, state: State, obs: Tensor, *, generator: torch.Generator) -> Decision:
        if self.steps <= 0:
            return self.agent.decide(state, obs, generator=generator)
        if not self.left:
            self.chosen = self.action.draw(len(obs), generator=self.draws, dtype=obs.dtype)
            self.left = int(torch.randint(1, self.hold + 1, (), generator=self.draws)) if self.vary else self.hold
        self.steps, self.left = self.steps - len(obs), self.left - 1
        return Decision(self.chosen, state)
