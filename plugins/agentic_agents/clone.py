"""Behavior cloning: a table of what another agent did."""

from copy import deepcopy
from typing import Self, final

import torch
from torch import Tensor

from agentic import (
    Agent,
    Decision,
    Domain,
    Environment,
    Schedule,
    Simplex,
    Truth,
    UserError,
    run,
    state_observations,
    ticks,
)
from agentic.agents import policy_table
from agentic_agents.lookup import Lookup, Stateless
from agentic_agents.neighbor import Neighbor


@final
class Clone(Stateless):
    """A tabular clone of the agent `of`, which does what that would have done and neither learns nor is informed.

    The teacher first gathers `practice` steps of experience, the first `warmup` of them at random, and is sealed. In a
    finite world that is known and fully observed, it is asked for its policy in every state, ties included. Elsewhere
    `steps` of what it sees and does are recorded (`seed`), and the clone does what was done where most looked like
    what it sees. It has no memory: where the teacher remembers, it does what the teacher does there on the average.
    """

    def __init__(self, table: Lookup | Neighbor, action: Domain, outcome: Domain) -> None:
        self.table, self.action, self.outcome = table, action, outcome

    @classmethod
    def example(cls) -> Self:
        """The clone of an agent that tosses a coin."""
        two = Simplex((2,))
        return cls(Lookup.of(torch.eye(2), [[0.5, 0.5]] * 2), two, two)

    @classmethod
    def from_env(
        cls, env: Environment, of: Agent, practice: int = 0, warmup: int = 0, steps: int = 2000, seed: int = 0
    ) -> Self:
        if steps < 1:
            raise UserError(f"steps must be at least 1, got {steps}: that many are looked at")
        copies, teacher, truth = env.copies(), deepcopy(of), _observed(env)
        if practice:
            run(teacher, copies, Schedule(learn_steps=practice, warmup=warmup, episodes=0), seed=seed)
        teacher = teacher.sealed()
        table: Lookup | Neighbor
        if truth is None:
            table = Neighbor.of(ticks(teacher, copies, seed=seed, steps=steps), env.action)
        else:
            draws, seen = torch.Generator().manual_seed(seed), state_observations(truth)
            table = Lookup.of(seen, policy_table(teacher, truth, generator=draws)[: len(seen)])
        return cls(table, env.action, env.observation)

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return self.table.decide(obs, generator)


def _observed(env: Environment) -> Truth | None:
    """The truth of a finite world whose state is seen; None of any other."""
    try:
        truth = env.truth()
        state_observations(truth)
    except UserError:
        return None
    return truth
