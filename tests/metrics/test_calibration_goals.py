"""On 400 fixed seeds: do intervals cover what they say, and do nulls that are true alarm as often as they say?"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from agentic import holm
from agentic_envs.cliffworld import CliffWorld
from agentic_metrics import (
    Estimate,
    World,
    attributed_goal_from_episodes,
    bounded_rational,
    goal_directedness,
    goal_directedness_from_episodes,
    inverse_temperature,
)
from agentic_metrics.finite.soft import hard_backups

SEEDS = range(400)
CLIFF = World.of(CliffWorld(rows=3, columns=5).true_model())
HORIZON = 6


def two_armed(seed: int, beta: float) -> Estimate:
    """A hundred choices between an arm worth 1 and one worth 0, in episodes of five."""
    generator = np.random.default_rng(seed)
    choices = (generator.random(100) > bounded_rational([1.0, 0.0], beta).policy[0]).astype(np.int64)
    return inverse_temperature(choices, [1.0, 0.0], groups=np.arange(100) // 5)


def many_armed(seed: int, beta: float) -> Estimate:
    """Two hundred choices among three options of random utility."""
    generator = np.random.default_rng(seed)
    utilities = generator.normal(size=(200, 3))
    policy = bounded_rational(utilities, beta).policy
    return inverse_temperature((policy.cumsum(1) < generator.random((200, 1))).sum(1), utilities)


def noisy(noise: float) -> Any:
    """The best policy for the time that is left, mixed with chance, (t, s, a)."""
    best = np.array(list(hard_backups(CLIFF, CLIFF.rewards, horizon=HORIZON))[::-1])
    even = np.isfinite(best) / np.isfinite(best).sum(-1, keepdims=True)
    return (1 - noise) * even + noise / CLIFF.actions


def episodes(policy: Any, generator: np.random.Generator, count: int = 50) -> tuple[list[Any], list[Any]]:
    """States and actions of so many episodes on the cliff."""
    here, states, actions = np.zeros(count, dtype=np.int64), [], []
    for table in policy:
        action = (table[here].cumsum(1) < generator.random((count, 1))).sum(1).clip(max=CLIFF.actions - 1)
        states.append(here)
        actions.append(action)
        here = (CLIFF.dynamics[here, action].cumsum(1) < generator.random((count, 1))).sum(1).clip(max=CLIFF.states - 1)
    return list(np.array([*states, here]).T), list(np.array(actions).T)


def cliff(seed: int, noise: float, surrogates: int = 0) -> Estimate:
    generator = np.random.default_rng(seed)
    return goal_directedness_from_episodes(
        CLIFF, *episodes(noisy(noise), generator), horizon=HORIZON, surrogates=surrogates, generator=generator
    )


def unknown(seed: int) -> Estimate:
    """A random agent, whose goal is sought among utilities of the column."""
    generator = np.random.default_rng(seed)
    return attributed_goal_from_episodes(
        CLIFF, *episodes(noisy(1.0), generator, 40), np.arange(15) % 5, horizon=3, generator=generator
    )


def covered(found: Estimate, truth: float) -> bool:
    assert found.interval is not None
    return bool(found.interval.low <= truth <= found.interval.high)


def alarms(found: Estimate) -> bool:
    assert found.null is not None
    return bool(found.null.p_value < 0.05)


def goal_trial(noise: float) -> Callable[[int], bool]:
    exact = goal_directedness(CLIFF, noisy(noise), horizon=HORIZON).value
    return lambda seed: covered(cliff(seed, noise), exact)


COVERAGE: dict[str, Callable[[int], bool]] = {
    "inverse temperature, 80 of 100": lambda seed: covered(two_armed(seed, np.log(4)), np.log(4)),
    "inverse temperature, three options": lambda seed: covered(many_armed(seed, 1.0), 1.0),
    "inverse temperature, random": lambda seed: covered(two_armed(seed, 0.0), 0.0),
    **{f"goal-directedness, noise {noise}": goal_trial(noise) for noise in (0.1, 0.3, 0.6, 0.9, 1.0)},
}
ALARM: dict[str, Callable[[int], bool]] = {
    "inverse temperature, two options": lambda seed: alarms(two_armed(seed, 0.0)),
    "inverse temperature, three options": lambda seed: alarms(many_armed(seed, 0.0)),
    "goal-directedness": lambda seed: alarms(cliff(seed, 1.0, surrogates=199)),
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rates_are_what_they_are_said_to_be() -> None:
    """Exact binomial tests of .95 and .05, adjusted for their number, are not rejected at .001."""
    hits = {f"coverage: {name}": (sum(map(trial, SEEDS)), 0.95) for name, trial in COVERAGE.items()}
    hits |= {f"false alarms: {name}": (sum(map(trial, SEEDS)), 0.05) for name, trial in ALARM.items()}
    rates = {name: count / len(SEEDS) for name, (count, _) in hits.items()}
    for name, rate in rates.items():
        print(f"{name}: {rate:.4f}")
    p_values = holm([binomtest(count, len(SEEDS), nominal).pvalue for count, nominal in hits.values()])
    assert min(p_values) > 0.001, rates


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_held_out_episodes_alarm_no_more_often_than_they_say() -> None:
    """Their null is a bound, so that they may alarm less."""
    count = sum(alarms(unknown(seed)) for seed in SEEDS)
    assert binomtest(count, len(SEEDS), 0.05, alternative="greater").pvalue > 0.001, count / len(SEEDS)
