"""A finite world as three arrays, and what a policy is worth in it.

Exact metrics compute on these; `World.of` makes them from the truth of an environment. A policy is a table
(states, actions) of probabilities. All arrays are float64.
"""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Truth, UserError

Floats = NDArray[np.float64]

TIE = 1e-9  # action values closer than this are equal


@final
@dataclass(frozen=True)
class World:
    """A Markov decision process.

    `dynamics` (s, a, s'): probability of the next state. `rewards` (s, a): expected reward of taking the action there.
    `start` (s,): distribution of the first state. `ended` (s,) bool: states in which the episode is over, absorbing
    and without reward. Raises UserError where shapes disagree or rows are no distributions.
    """

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
        for name, rows in (("dynamics", self.dynamics), ("start", self.start)):
            if rows.min() < 0 or np.abs(rows.sum(-1) - 1).max() > TIE:
                raise UserError(f"{name} must hold probabilities that sum to 1 along the last axis: normalize them")

    @classmethod
    def of(cls, truth: Truth) -> Self:
        """The world of an environment's truth; several state factors become one, the last varying fastest."""
        states = int(np.prod([len(first) for first in truth["D"]]))
        actions = truth["rewards"].shape[-1]
        dynamics: NDArray[Any] = np.ones((actions, 1, 1))
        start: NDArray[Any] = np.ones(1)
        for moves, first in zip(truth["B"], truth["D"], strict=True):
            by_action = np.moveaxis(moves, (0, 1, 2), (2, 1, 0))  # (a, previous, next)
            joint = np.einsum("apn,aqm->apqnm", dynamics, by_action)
            size = dynamics.shape[1] * len(first)
            dynamics, start = joint.reshape(actions, size, size), np.kron(start, first)
        ended = truth["ends"].reshape(states) > 1 - TIE
        return cls(dynamics.swapaxes(0, 1).copy(), truth["rewards"].reshape(states, actions), start, ended)

    @property
    def states(self) -> int:
        return len(self.start)

    @property
    def actions(self) -> int:
        return int(self.rewards.shape[1])

    @property
    def alive(self) -> NDArray[np.int64]:
        """The states in which a decision counts, reachable from the start or not."""
        return np.flatnonzero(~self.ended)


def checked_policy(world: World, policy: ArrayLike) -> Floats:
    """`policy` as an array (states, actions); UserError where it has another shape or rows are no distributions."""
    table = np.asarray(policy, dtype=np.float64)
    if table.shape != world.rewards.shape:
        raise UserError(f"a policy in this world is a table {world.rewards.shape} of probabilities, got {table.shape}")
    if table.min() < 0 or np.abs(table.sum(-1) - 1).max() > 1e-6:
        raise UserError("every row of a policy must be probabilities that sum to 1: normalize them")
    return table


def visits(world: World, policy: ArrayLike, *, horizon: int, discount: float = 1.0) -> Floats:
    """Expected number of decisions in each state within `horizon` steps, (states,), discounted; none once ended."""
    table, here, total = checked_policy(world, policy), world.start.copy(), np.zeros(world.states)
    step = np.einsum("sa,san->sn", table, world.dynamics)
    for t in range(horizon):
        here = np.where(world.ended, 0.0, here)
        total += discount**t * here
        here = here @ step
    return total


def expected_return(world: World, policy: ArrayLike, *, horizon: int, discount: float = 1.0) -> float:
    """Expected discounted return of `policy` over `horizon` steps from the start distribution."""
    table = checked_policy(world, policy)
    return float(visits(world, table, horizon=horizon, discount=discount) @ (table * world.rewards).sum(-1))


def action_values(world: World, *, depth: int, discount: float = 1.0) -> Floats:
    """Q (states, actions) of acting optimally for `depth` >= 1 steps: that many Bellman backups from zero."""
    if depth < 1:
        raise UserError(f"depth must be at least 1, got {depth}")
    future, alive = np.zeros(world.states), ~world.ended[:, None]
    for _ in range(depth):
        values = np.where(alive, world.rewards + discount * world.dynamics @ future, 0.0)
        future = values.max(-1)
    return values


def optimal_return(world: World, *, horizon: int, discount: float = 1.0) -> float:
    """The largest expected discounted return over `horizon` steps from the start distribution."""
    return float(world.start @ action_values(world, depth=horizon, discount=discount).max(-1))


def greedy(values: ArrayLike) -> Floats:
    """The policy (states, actions) that takes the action of largest value, equal ones with equal probability."""
    table = np.asarray(values, dtype=np.float64)
    best = table >= table.max(-1, keepdims=True) - TIE
    return np.asarray(best / best.sum(-1, keepdims=True))


def planner(world: World, *, depth: int, discount: float = 1.0) -> Floats:
    """The policy of looking `depth` steps ahead before every action."""
    return greedy(action_values(world, depth=depth, discount=discount))
