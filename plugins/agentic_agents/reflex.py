"""A fixed map from observations to actions."""

from typing import Self, final

import torch
from torch import Tensor

from agentic import Decision, Domain, Environment, Simplex, UserError
from agentic_agents.lookup import Stateless, choices, fixed, joint, names


@final
class Reflex(Stateless):
    """A policy by a fixed map: each observation has its action.

    Discrete observations: `actions`, the index of an action for every observation (the joint value of several factors,
    the last fastest). Any others: `weights` (actions, observations), a linear map whose largest entry is the action
    taken, or, on a box, the action itself, projected on it.

    Raises UserError unless exactly one of the two is given and fits the environment.
    """

    def __init__(self, outcome: Domain, action: Domain, *, table: Tensor | None, weights: Tensor | None) -> None:
        self.outcome, self.action, self.table, self.weights = outcome, action, table, weights

    @classmethod
    def example(cls) -> Self:
        """The reflex that takes, of two actions, the one of the observation's index."""
        two = Simplex((2,))
        return cls(two, two, table=torch.eye(2, dtype=torch.float64), weights=None)

    @classmethod
    def from_env(
        cls,
        env: Environment,
        actions: tuple[int, ...] | None = None,
        weights: tuple[tuple[float, ...], ...] | None = None,
    ) -> Self:
        if (actions is None) == (weights is None):
            raise UserError("a reflex needs actions = [...], one for each observation, or else weights = [[...], ...]")
        if actions is not None:
            return cls(env.observation, env.action, table=_rows(env, actions), weights=None)
        shape = env.action.size, env.observation.size
        if len(weights or ()) != shape[0] or any(len(row) != shape[1] for row in weights or ()):
            raise UserError(f"weights must be {shape[0]} lists (actions) of {shape[1]} numbers (observations) each")
        return cls(env.observation, env.action, table=None, weights=torch.tensor(weights, dtype=torch.float64))

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        if self.table is not None:
            return fixed(self.table[joint(names(self.outcome), obs)], self.action, obs)
        assert self.weights is not None
        pushed = obs.double() @ self.weights.T
        return fixed(self.action.project(pushed), self.action, obs)


def _rows(env: Environment, actions: tuple[int, ...]) -> Tensor:
    """The actions as one-hot rows (observations, actions)."""
    count, size = names(env.observation).count, choices(env.action)
    if len(actions) != count or not all(0 <= action < size for action in actions):
        raise UserError(
            f"actions must be {count} indices of the {size} actions, one for each observation, got {len(actions)} "
            f"from {min(actions, default=0)} to {max(actions, default=0)}"
        )
    return torch.eye(size, dtype=torch.float64)[list(actions)]
