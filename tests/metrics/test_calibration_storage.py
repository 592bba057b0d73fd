"""Whether intervals hold the truth, and nulls raise no more false alarms, as often as they say: 400 fixed seeds."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binomtest

from agentic import holm
from agentic_metrics import (
    Estimate,
    Gaussian,
    Machine,
    Neighbors,
    active_information_storage,
    autonomy,
    autoregressive_storage,
    decay_time,
    exact_storage,
    exponential_time,
    lag_information,
    policy_complexity,
    sampled_complexity,
)
from tests.metrics.test_storage import autoregressive, flips, within

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SEEDS, EPISODES, STEPS = 400, 20, 50
SURROGATES = 20  # of which none may reach the value: 1 / 21 of true nulls are outside
POLICY = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.25] * 4, [0.05, 0.05, 0.2, 0.7]])
BLIND = np.tile([0.4, 0.3, 0.2, 0.1], (4, 1))

Source = np.random.Generator


def walk(policy: np.ndarray, source: Source) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """500 states that stay with probability 1/2, in 20 episodes, and actions of a policy (4, 4)."""
    seen, done = np.empty((25, EPISODES), int), np.empty((25, EPISODES), int)
    for t in range(25):
        fresh = source.integers(4, size=EPISODES)
        seen[t] = np.where(source.random(EPISODES) < 0.5, seen[t - 1], fresh) if t else fresh
        done[t] = (source.random(EPISODES)[:, None] > policy.cumsum(1)[seen[t], :3]).sum(1)
    return list(seen.T), list(done.T)


def stored(series: list[np.ndarray], source: Source, estimator: Gaussian | Neighbors | None = None) -> Estimate:
    return active_information_storage(series, estimator=estimator, surrogates=0, generator=source)


def line(coefficient: float, source: Source) -> list[np.ndarray]:
    return autoregressive(coefficient, EPISODES, STEPS, source)


def bits(source: Source) -> list[np.ndarray]:
    return list(source.integers(2, size=(EPISODES, STEPS)))


COVERED: dict[str, tuple[Callable[[Source], Estimate], float]] = {
    "storage, flips, plug-in": (
        lambda source: stored(flips(0.1, EPISODES, STEPS, source), source),
        exact_storage(Machine.of_chain([[0.9, 0.1], [0.1, 0.9]])),
    ),
    "storage, flips, one episode": (
        lambda source: stored(flips(0.1, 1, EPISODES * STEPS, source), source),
        exact_storage(Machine.of_chain([[0.9, 0.1], [0.1, 0.9]])),
    ),
    "storage, AR .5, gaussian": (
        lambda source: stored(line(0.5, source), source, Gaussian()),
        autoregressive_storage(0.5),
    ),
    "storage, AR .9, gaussian": (
        lambda source: stored(line(0.9, source), source, Gaussian()),
        autoregressive_storage(0.9),
    ),
    "storage, AR .5, neighbors": (
        lambda source: stored(line(0.5, source), source, Neighbors()),
        autoregressive_storage(0.5),
    ),
    "storage, AR .9, neighbors": (
        lambda source: stored(line(0.9, source), source, Neighbors()),
        autoregressive_storage(0.9),
    ),
    "policy complexity, 4 x 4": (
        lambda source: sampled_complexity(*walk(POLICY, source), surrogates=0, generator=source),
        policy_complexity(POLICY),
    ),
    "decay time, AR .5": (
        lambda source: decay_time(line(0.5, source), surrogates=0, generator=source),
        exponential_time(0.5),
    ),
    "autonomy, flips": (
        lambda source: autonomy(flips(0.1, EPISODES, STEPS, source), bits(source), surrogates=0, generator=source),
        exact_storage(Machine.of_chain([[0.9, 0.1], [0.1, 0.9]])),
    ),
}


def reflex(source: Source) -> Estimate:
    """The same as what is seen, nine times in ten."""
    world = flips(0.2, EPISODES, STEPS, source)
    system = [np.where(source.random(STEPS) < 0.9, each, 1 - each) for each in world]
    return autonomy(system, world, lag=0, surrogates=SURROGATES, generator=source)


def measured_reflex(source: Source) -> Estimate:
    """What is seen with noise added, both measured."""
    world = line(0.5, source)
    system = [each + source.normal(size=STEPS) for each in world]
    return autonomy(system, world, lag=0, estimator=Gaussian(), surrogates=SURROGATES, generator=source)


NULLS: dict[str, Callable[[Source], Estimate]] = {
    "storage, coin, chi-square": lambda source: stored(bits(source), source),
    "storage, coin, surrogates": lambda source: active_information_storage(
        bits(source), surrogates=SURROGATES, generator=source
    ),
    "storage, white, gaussian": lambda source: stored(line(0.0, source), source, Gaussian()),
    "storage, white, neighbors": lambda source: active_information_storage(
        autoregressive(0.0, 10, 40, source), estimator=Neighbors(), surrogates=SURROGATES, generator=source
    ),
    "policy complexity, blind, chi-square": lambda source: sampled_complexity(
        *walk(BLIND, source), surrogates=0, generator=source
    ),
    "policy complexity, blind, surrogates": lambda source: sampled_complexity(
        *walk(BLIND, source), surrogates=SURROGATES, generator=source
    ),
    "autonomy, reflex": reflex,
    "autonomy, measured reflex": measured_reflex,
    "lag information, apart": lambda source: lag_information(
        flips(0.2, EPISODES, STEPS, source),
        flips(0.2, EPISODES, STEPS, source),
        lags=1,
        surrogates=SURROGATES,
        generator=source,
    )[1],
    "decay time, white": lambda source: decay_time(line(0.0, source), surrogates=SURROGATES, generator=source),
}


def judge(counts: dict[str, int], nominal: float) -> str:
    """Empty, or which rates differ from the nominal one at the .001 level after Holm's correction; all are printed."""
    adjusted = holm([binomtest(count, SEEDS, nominal).pvalue for count in counts.values()])
    for (name, count), p_value in zip(counts.items(), adjusted, strict=True):
        print(f"{name}: {count / SEEDS:.4f} (nominal {nominal}, adjusted p = {p_value:.3g})")
    return ", ".join(name for name, p_value in zip(counts, adjusted, strict=True) if p_value < 0.001)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    counts = {
        name: sum(within(estimate(np.random.default_rng(seed)), truth) for seed in range(SEEDS))
        for name, (estimate, truth) in COVERED.items()
    }
    assert not judge(counts, 0.95)


def test_true_nulls_raise_as_many_false_alarms_as_they_say() -> None:
    counts = dict.fromkeys(NULLS, 0)
    for name, estimate in NULLS.items():
        for seed in range(SEEDS):
            null = estimate(np.random.default_rng(seed)).null
            assert null is not None
            counts[name] += null.p_value < 0.05
    assert not judge(counts, 0.05)
