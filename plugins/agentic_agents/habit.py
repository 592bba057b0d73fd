"""Habits: model-free values of actions, by Q-learning, and the epsilon-greedy policy."""

from collections.abc import Mapping
from typing import Any, Self, final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from agentic import Decision, Environment, Learner, Simplex, Tick, UserError, World
from agentic_agents.lookup import Stateless, choices, drawn, joint, names


@final
class Habit(Stateless):
    """An epsilon-greedy policy: the action of the largest value, equal ones equally often; with `epsilon` any.

    `values` (observations, actions) come from experience, by Q-learning (Watkins 1989) while it learns; sealed, they
    stay what they are: a value moves by `rate` of what it lacks, later rewards count `discount` per step. Observations
    are discrete, several factors of `outcome` count as one; so is the action.

    Raises UserError for other spaces, and for numbers out of range.
    """

    def __init__(
        self,
        values: ArrayLike,
        *,
        rate: float = 0.5,
        discount: float = 0.9,
        epsilon: float = 0.1,
        outcome: Simplex | None = None,
    ) -> None:
        if not (0 < rate <= 1 and 0 <= discount <= 1 and 0 <= epsilon <= 1):
            raise UserError(
                f"a habit needs a rate above 0, a discount and an epsilon, all at most 1, got rate = {rate}, "
                f"discount = {discount}, epsilon = {epsilon}"
            )
        self.values, self.epsilon = np.array(values, dtype=np.float64), epsilon
        self.outcome = outcome or Simplex(self.values.shape[:1])
        self.action = Simplex(self.values.shape[1:])
        self.learner = Temporal(self.outcome, self.values, rate, discount)

    @classmethod
    def from_env(cls, env: Environment, rate: float = 0.5, discount: float = 0.9, epsilon: float = 0.1) -> Self:
        outcome = names(env.observation)
        values = np.zeros((outcome.count, choices(env.action)))
        return cls(values, rate=rate, discount=discount, epsilon=epsilon, outcome=outcome)

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        values = self.values[joint(self.outcome, obs).numpy()]
        rows = (1 - self.epsilon) * World.greedy_policy(values) + self.epsilon / values.shape[1]
        return drawn(torch.from_numpy(rows), obs, generator)


@final
class Temporal(Learner):
    """Q-learning (Watkins 1989): Q(o, a) += rate (r + discount max Q(o', .) - Q(o, a)), nothing following the end."""

    def __init__(self, outcome: Simplex, values: Any, rate: float, discount: float) -> None:
        self.outcome, self.values, self.rate, self.discount = outcome, values, rate, discount

    def update(self, tick: Tick) -> Mapping[str, float]:
        before, after = (joint(self.outcome, obs).numpy() for obs in (tick.obs, tick.next_obs))
        actions, worst = tick.action.argmax(-1).numpy(), 0.0
        for row in np.flatnonzero(tick.valid):
            future = 0.0 if tick.terminated[row] else self.discount * self.values[after[row]].max()
            error = float(tick.reward[row] + future - self.values[before[row], actions[row]])
            self.values[before[row], actions[row]] += self.rate * error
            worst = max(worst, abs(error))
        return {"error": worst}
