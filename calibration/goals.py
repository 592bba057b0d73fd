"""Goals: inverse temperature, goal-directedness, the intentional stance and planning depth, on a cliff."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agentic_envs.cliffworld import CliffWorld
from agentic_metrics import (
    Estimate,
    GoalDirectedness,
    IntentionalStance,
    InverseTemperature,
    PlanningDepth,
    World,
    action_values,
    bounded_rational,
    greedy,
)
from calibration.case import SURROGATES, Case, Source, alarms, covers

CLIFF = World.of(CliffWorld(rows=3, columns=5).true_model())
HORIZON = 6
COLUMNS = np.arange(CLIFF.states) % 5

Names = list[NDArray[np.int64]]


def two_armed(beta: float) -> Callable[[Source], Estimate]:
    """A hundred choices between an arm worth 1 and one worth 0, in episodes of five."""
    arms = bounded_rational([1.0, 0.0], beta).policy[0]
    groups = np.arange(100) // 5
    return lambda source: InverseTemperature().estimate(
        (source.random(100) > arms).astype(np.int64), [1.0, 0.0], groups=groups
    )


def many_armed(beta: float) -> Callable[[Source], Estimate]:
    """Two hundred choices among three options of random utility."""

    def estimate(source: Source) -> Estimate:
        utilities = source.normal(size=(200, 3))
        policy = bounded_rational(utilities, beta).policy
        return InverseTemperature().estimate((policy.cumsum(1) < source.random((200, 1))).sum(1), utilities)

    return estimate


def noisy(noise: float) -> NDArray[np.float64]:
    """The best policy for the time that is left, mixed with chance, (t, s, a)."""
    best = np.stack([greedy(action_values(CLIFF, depth=left)) for left in range(HORIZON, 0, -1)])
    return np.asarray((1 - noise) * best + noise / CLIFF.actions)


def episodes(policy: NDArray[np.float64], source: Source, count: int) -> tuple[Names, Names]:
    """States and actions of so many episodes on the cliff."""
    here, states, actions = np.zeros(count, dtype=np.int64), [], []
    for table in policy:
        action = (table[here].cumsum(1) < source.random((count, 1))).sum(1).clip(max=CLIFF.actions - 1)
        states.append(here)
        actions.append(action)
        here = (CLIFF.dynamics[here, action].cumsum(1) < source.random((count, 1))).sum(1).clip(max=CLIFF.states - 1)
    return list(np.array(states).T), list(np.array(actions).T)


def pursued(noise: float, surrogates: int = 0) -> Callable[[Source], Estimate]:
    """How directed 50 episodes are toward the declared goal."""
    policy = noisy(noise)
    return lambda source: GoalDirectedness(horizon=HORIZON, surrogates=surrogates).estimate(
        *episodes(policy, source, 50), CLIFF, generator=source
    )


def pursued_covers(noise: float) -> Case:
    exact = GoalDirectedness(horizon=HORIZON).of_policy(noisy(noise), CLIFF).value
    return covers(f"goal-directedness, noise {noise}", pursued(noise), exact)


def sought(source: Source) -> Estimate:
    """A goal sought among utilities of the column."""
    return GoalDirectedness(known=False, horizon=3).estimate(
        *episodes(noisy(1.0), source, 40), CLIFF, COLUMNS, generator=source
    )


def stance(source: Source) -> Estimate:
    metric = IntentionalStance(surrogates=SURROGATES)
    return metric.estimate(*episodes(noisy(1.0), source, 10), CLIFF, generator=source)


def depth(source: Source) -> Estimate:
    metric = PlanningDepth(deepest=6, lapse=0.5, surrogates=SURROGATES)
    return metric.estimate(*episodes(noisy(1.0), source, 10), CLIFF, generator=source)


CASES = (
    covers("inverse temperature, 80 of 100", two_armed(np.log(4)), np.log(4)),
    covers("inverse temperature, three options", many_armed(1.0), 1.0),
    covers("inverse temperature, random agent", two_armed(0.0), 0.0),
    *(pursued_covers(noise) for noise in (0.1, 0.3, 0.6, 0.9, 1.0)),
    alarms("inverse temperature, two options", two_armed(0.0)),
    alarms("inverse temperature, three options", many_armed(0.0)),
    alarms("goal-directedness, random agent", pursued(1.0, SURROGATES), surrogates=SURROGATES),
    alarms("attributed goal, random agent", sought, at_most=True),
    alarms("intentional stance, random agent", stance, surrogates=SURROGATES, at_most=True),
    alarms("planning depth, random agent", depth, surrogates=SURROGATES, at_most=True),
)
