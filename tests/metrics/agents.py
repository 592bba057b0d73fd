"""A policy as an agent: tables that are deaf to everything."""

from typing import Any, final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from agentic import Agent, Decision
from agentic_agents.lookup import drawn


def choose(policy: Any, obs: Tensor, generator: torch.Generator) -> Decision:
    """An action drawn from the row of a policy (states, actions) that the one-hot `obs` (b, states) names."""
    return drawn(torch.as_tensor(np.asarray(policy), dtype=torch.float64)[obs.argmax(-1)], obs, generator)


@final
class Table(Agent):
    """A policy (states, actions), whatever happens: a rock, a reflex, a clone."""

    def __init__(self, policy: ArrayLike) -> None:
        self.policy = np.asarray(policy, dtype=np.float64)

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return choose(self.policy, obs, generator)
