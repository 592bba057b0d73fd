"""A finite world as arrays, and what looking ahead in it is worth.

What exact planners, exact metrics and clones share. `World.of` makes the arrays from the truth of an environment; a
policy is a table (states, actions) of probabilities. All arrays are float64.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic.environments.pomdp import Truth, joint_states, plain
from agentic.environments.probabilities import check_probabilities
from agentic.errors import UserError

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class World:
    """A Markov decision process.

    `dynamics` (s, a, s'): probability of the next state. `rewards` (s, a): expected reward of taking the action there.
    `start` (s,): distribution of the first state. `ended` (s,) bool: states in which the episode is over, absorbing
    and without reward. Raises UserError where shapes disagree or rows are no distributions.
    """

    tie: ClassVar[float] = 1e-9  # values of actions closer than this are equal

    dynamics: Floats
    rewards: Floats
    start: Floats
    ended: NDArray[np.bool_]

    def __post_init__(self) -> None:
        states, actions = self.rewards.shape
        shapes = self.dynamics.shape, self.start.shape, self.ended.shape
        if shapes != ((states, actions, states), (states,), (states,)):
            raise UserError(
                f"a world of {states} states and {actions} actions, as rewards has it, needs dynamics (s, a, s'), "
                f"start (s,) and ended (s,), got {shapes}"
            )
        check_probabilities("dynamics", self.dynamics, axis=-1, tolerance=self.tie)
        check_probabilities("start", self.start, tolerance=self.tie)

    @classmethod
    def of(cls, truth: Truth) -> Self:
        """The world of an environment's truth; several state factors become one, the last varying fastest."""
        truth = plain(truth)
        states = joint_states(truth)
        actions = truth["rewards"].shape[-1]
        dynamics: NDArray[Any] = np.ones((actions, 1, 1))
        start: NDArray[Any] = np.ones(1)
        for moves, first in zip(truth["B"], truth["D"], strict=True):
            by_action = np.moveaxis(moves, (0, 1, 2), (2, 1, 0))  # (a, previous, next)
            joint = np.einsum("apn,aqm->apqnm", dynamics, by_action)
            size = dynamics.shape[1] * len(first)
            dynamics, start = joint.reshape(actions, size, size), np.kron(start, first)
        ended = truth["ends"].reshape(states) > 1 - cls.tie
        return cls(dynamics.swapaxes(0, 1).copy(), truth["rewards"].reshape(states, actions), start, ended)

    @property
    def states(self) -> int:
        """The number of states."""
        return len(self.start)

    @property
    def actions(self) -> int:
        """The number of actions."""
        return int(self.rewards.shape[1])

    @property
    def alive(self) -> NDArray[np.int64]:
        """The states in which a decision counts, reachable from the start or not."""
        return np.flatnonzero(~self.ended)

    def action_values(self, *, depth: int, discount: float = 1.0) -> Floats:
        """Q (states, actions) of acting optimally for `depth` >= 1 steps: that many Bellman backups from zero."""
        if depth < 1:
            raise UserError(f"depth must be at least 1, got {depth}")
        future, alive = np.zeros(self.states), ~self.ended[:, None]
        for _ in range(depth):
            values = np.where(alive, self.rewards + discount * self.dynamics @ future, 0.0)
            future = values.max(-1)
        return values

    def planned_policy(self, *, depth: int, discount: float = 1.0) -> Floats:
        """The policy (states, actions) of looking `depth` steps ahead before every action."""
        return self.greedy_policy(self.action_values(depth=depth, discount=discount))

    @classmethod
    def greedy_policy(cls, values: ArrayLike) -> Floats:
        """The policy (states, actions) that takes the action of largest value, equal ones with equal probability."""
        table = np.asarray(values, dtype=np.float64)
        best = table >= table.max(-1, keepdims=True) - cls.tie
        return np.asarray(best / best.sum(-1, keepdims=True))
