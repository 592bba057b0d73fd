"""Values of policies in a finite world: the world itself and planning in it are the core's."""

import numpy as np
from numpy.typing import ArrayLike

from agentic import UserError, World
from agentic_metrics.finite.arrays import Floats

__all__ = [
    "Floats",
    "World",
    "action_values",
    "checked_policy",
    "expected_return",
    "greedy",
    "optimal_return",
    "planner",
    "ties",
    "visits",
]


action_values, greedy, planner, ties = World.action_values, World.greedy_policy, World.planned_policy, World.ties


def checked_policy(world: World, policy: ArrayLike) -> Floats:
    """`policy` as an array (states, actions); UserError where it has another shape or rows are no distributions."""
    table = np.asarray(policy, dtype=np.float64)
    if table.shape != world.rewards.shape:
        raise UserError(f"a policy in this world is a table {world.rewards.shape} of probabilities, got {table.shape}")
    if table.min() < 0 or np.abs(table.sum(-1) - 1).max() > 1e-6:
        raise UserError("every row of a policy must be probabilities that sum to 1: normalize them")
    return table


def visits(world: World, policy: ArrayLike, *, horizon: int, discount: float = 1.0) -> Floats:
    """The expected number of decisions in each state within `horizon` steps, (states,), discounted; none once ended."""
    table, here, total = checked_policy(world, policy), world.start.copy(), np.zeros(world.states)
    step = np.einsum("sa,san->sn", table, world.dynamics)
    for t in range(horizon):
        here = np.where(world.ended, 0.0, here)
        total += discount**t * here
        here = here @ step
    return total


def expected_return(world: World, policy: ArrayLike, *, horizon: int, discount: float = 1.0) -> float:
    """The expected discounted return of `policy` over `horizon` steps from the start distribution."""
    table = checked_policy(world, policy)
    return float(visits(world, table, horizon=horizon, discount=discount) @ (table * world.rewards).sum(-1))


def optimal_return(world: World, *, horizon: int, discount: float = 1.0) -> float:
    """The largest expected discounted return over `horizon` steps from the start distribution."""
    return float(world.start @ action_values(world, depth=horizon, discount=discount).max(-1))
