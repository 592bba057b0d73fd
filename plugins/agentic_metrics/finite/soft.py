"""Soft Bellman backups: the policies that are as good as an inverse temperature makes them, and no better.

Of all policies that earn as much, the soft-optimal one is the most random: this is what a goal and nothing else
explains. Values carry their first two derivatives in the inverse temperature, so that it can be fitted by Newton steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from agentic import UserError
from agentic_metrics.finite.arrays import Floats
from agentic_metrics.finite.world import World, checked_policy, ties

SPARSE = 0.1  # share of possible successors below which dynamics are kept as a sparse matrix


@final
@dataclass(frozen=True)
class Softness:
    """The ln pi(a|s) of one time step and its first and second derivatives in beta, each (b, s, a)."""

    log: Floats
    slope: Floats
    bend: Floats


def soft_policy(
    world: World, utility: ArrayLike, *, beta: float, horizon: int, discount: float = 1.0
) -> tuple[Floats, Floats]:
    """The soft-optimal policy (t, s, a) at inverse temperature `beta` of any sign, and its soft value (s,) at t = 0.

    pi_t(a|s) = exp(Q_t(s,a) - V_t(s)), Q_t = beta U + discount E V_{t+1}(s'), V_t = ln sum_a exp Q_t, V_T = 0, with U
    (s, a), or (s,) of the state alone, and T = `horizon` decisions (Ziebart, Bagnell and Dey 2010).
    """
    if horizon < 1:
        raise UserError(f"the horizon must be at least 1 decision, got {horizon}")
    logs, value = soft_logs(world, beta * checked_utility(world, utility), horizon=horizon, discount=discount)
    return np.exp(logs), value


def soft_logs(world: World, utility: Floats, *, horizon: int, discount: float = 1.0) -> tuple[Floats, Floats]:
    """The ln pi_t (t, s, a) of the soft-optimal policy for a utility (s, a) at beta = 1, and its soft value (s,)."""
    move, value, logs = mover(world), np.zeros(world.states), []
    for _ in range(horizon):
        values = utility + discount * move(value[:, None])[..., 0]
        value, _ = _softened(values)
        logs.append(values - value[:, None])
    return np.array(logs[::-1]), value


def soft_backups(
    world: World, utility: Floats, beta: Floats, *, horizon: int, discount: float = 1.0
) -> Iterator[Softness]:
    """The ln pi_t of the soft-optimal policies at every `beta` (b,), from the last decision t = T - 1 to the first.

    The derivative of V is the expected return of the soft policy, its second the variance that choosing adds to it.
    """
    move, count = mover(world), len(beta)
    value, slope, bend = (np.zeros((count, world.states)) for _ in range(3))
    for _ in range(horizon):
        ahead = discount * move(np.concatenate([value, slope, bend]).T)
        values, slopes, bends = np.moveaxis(ahead.reshape(world.states, world.actions, 3, count), (2, 3), (0, 1))
        values, slopes = values + beta[:, None, None] * utility, slopes + utility
        value, policy = _softened(values)
        slope = (policy * slopes).sum(-1)
        score = slopes - slope[..., None]
        bend = (policy * (bends + score**2)).sum(-1)
        yield Softness(values - value[..., None], score, bends - bend[..., None])


def hard_backups(world: World, utility: Floats, *, horizon: int, discount: float = 1.0) -> Iterator[Floats]:
    """The ln pi_t (s, a) in the limit of infinite beta, from the last decision to the first; -inf where not optimal.

    Among optimal actions it is the most random policy, which prefers those that keep more of them open.
    """
    move = mover(world)
    value, freedom, size = (np.zeros(world.states) for _ in range(3))
    for _ in range(horizon):
        values, freedoms, scale = np.moveaxis(discount * move(np.stack([value, freedom, size], 1)), 2, 0)
        values, scale = values + utility, scale + np.abs(utility)
        best = values.argmax(-1)[:, None]
        value, size = values.max(-1), np.take_along_axis(scale, best, -1)[:, 0]
        freedoms = np.where(ties(values, scale), freedoms, -np.inf)
        freedom, _ = _softened(freedoms)
        yield freedoms - freedom[:, None]


def _softened(values: Floats) -> tuple[Floats, Floats]:
    """ln sum_a exp of values (..., a), and their softmax."""
    most = values.max(-1, keepdims=True)
    policy = np.exp(values - most)
    total = policy.sum(-1, keepdims=True)
    return (most + np.log(total))[..., 0], policy / total


def occupancy(world: World, policy: ArrayLike, *, horizon: int, discount: float = 1.0) -> Floats:
    """The occupancy discount^t P(s_t, a_t), (t, s, a), of a policy (s, a) or (t, s, a), absorbing ends included."""
    here, step = world.start, world.dynamics.reshape(-1, world.states)
    out = []
    for t, table in enumerate(checked_policies(world, policy, horizon)):
        both = here[:, None] * table
        out.append(discount**t * both)
        here = both.ravel() @ step
    return np.array(out)


def mover(world: World) -> Any:
    """The function that takes values (s', k) of next states to their expectations (s, a, k)."""
    flat: Any = world.dynamics.reshape(-1, world.states)
    if np.count_nonzero(flat) < SPARSE * flat.size:
        flat = csr_array(flat)
    return lambda values: (flat @ values).reshape(world.states, world.actions, -1)


def checked_policies(world: World, policy: ArrayLike, horizon: int) -> Floats:
    """`policy` as (t, s, a), from the same or one (s, a) for all times; UserError for other shapes and bad rows."""
    table = np.asarray(policy, dtype=np.float64)
    if table.ndim != 3:
        return np.broadcast_to(checked_policy(world, table), (horizon, *world.rewards.shape))
    if len(table) != horizon:
        raise UserError(f"a policy that changes in time needs one table for each of {horizon} steps, got {len(table)}")
    return np.stack([checked_policy(world, each) for each in table])


def checked_utility(world: World, utility: ArrayLike) -> Floats:
    """A utility as (s, a): of states (s,) it is spread over actions.

    Raises UserError where the shape is another, a value is not finite, or actions matter after the end.
    """
    given = np.asarray(utility, dtype=np.float64)
    if given.shape not in (world.rewards.shape, world.start.shape) or not np.isfinite(given).all():
        raise UserError(
            f"a utility in this world is finite numbers of shape {world.rewards.shape} or {world.start.shape}, "
            f"got {given.shape}"
        )
    table = given if given.ndim == 2 else np.repeat(given[:, None], world.actions, axis=1)
    if np.ptp(table[world.ended], axis=-1).any():
        raise UserError("a utility must be the same for every action once the episode has ended: nothing is chosen")
    return table
