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
    """Uniform actions of `hold` ticks each for the first `steps` steps of all rows, then `agent`, which starts afresh.

    Actions come from `draws`, a random stream of their own, so that the agent's goes on as if it had waited.
    """

    def __init__(self, agent: Agent, action: Domain, steps: int, hold: int, draws: torch.Generator) -> None:
        self.agent, self.action, self.steps, self.hold, self.draws = agent, action, steps, hold, draws
        self.ticks, self.chosen = 0, torch.empty(0)

    def start(self, batch: int, *, generator: torch.Generator) -> State:
        return self.agent.start(batch, generator=generator)

    def decide(self, state: State, obs: Tensor, *, generator: torch.Generator) -> Decision:
        if self.steps <= 0:
            return self.agent.decide(state, obs, generator=generator)
        if self.ticks % self.hold == 0:
            self.chosen = self.action.draw(len(obs), generator=self.draws, dtype=obs.dtype)
        self.steps, self.ticks = self.steps - len(obs), self.ticks + 1
        return Decision(self.chosen, state)
