"""Tabular policies: indices of discrete observations, and actions drawn from rows of probabilities."""

from dataclasses import dataclass
from math import prod
from typing import final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from agentic import Agent, Categorical, Decision, Domain, Simplex, UserError


class Stateless(Agent):
    """An agent without memory: what it does depends on the present observation alone."""

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None


@final
@dataclass(frozen=True)
class Lookup:
    """A policy (states, actions) for worlds in which `seen` (states, *event), one-hot blocks, tells the state."""

    seen: Tensor
    policy: Tensor

    @classmethod
    def of(cls, seen: Tensor, policy: ArrayLike) -> "Lookup":
        """The table of a policy that is an array (states, actions)."""
        return cls(seen, torch.as_tensor(np.asarray(policy), dtype=torch.float64))

    def decide(self, obs: Tensor, generator: torch.Generator) -> Decision:
        return drawn(self.policy[(obs @ self.seen.to(obs).T).argmax(-1)], obs, generator)


def drawn(rows: Tensor, obs: Tensor, generator: torch.Generator) -> Decision:
    """The decision drawn from each row of probabilities (b, actions), a single choice in the type of `obs`."""
    action = torch.nn.functional.one_hot(torch.multinomial(rows, 1, generator=generator)[:, 0], rows.shape[-1])
    return Decision(action.to(obs.dtype), policy=Categorical(rows))


def fixed(events: Tensor, domain: Domain, obs: Tensor) -> Decision:
    """The decision for the actions (b, *event), with certainty."""
    policy = Categorical(events, domain.sizes) if isinstance(domain, Simplex) else None
    return Decision(events.to(obs.dtype), policy=policy)


def joint(domain: Simplex, obs: Tensor) -> Tensor:
    """The number of the joint value of all factors, (b,) int64, the last factor fastest."""
    strides = torch.tensor([prod(domain.sizes[i + 1 :]) for i in range(len(domain.sizes))])
    return (domain.indices(obs) * strides).sum(-1)


def choices(domain: Domain) -> int:
    """The number of actions where an action is a single choice. Raises UserError where it is not."""
    if isinstance(domain, Simplex) and len(domain.sizes) == 1:
        return domain.count
    raise UserError(f"this agent chooses one of several actions and the action space is {domain}: use another agent")


def names(domain: Domain) -> Simplex:
    """The domain of discrete observations. Raises UserError where they are numbers."""
    if isinstance(domain, Simplex):
        return domain
    raise UserError(f"this agent needs discrete observations, and the observation space is {domain}: use another agent")
