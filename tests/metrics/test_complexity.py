"""Policies that look and policies that do not, and what looking buys."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from agentic import Access, Subject, UserError, measure
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_metrics import (
    PolicyComplexity,
    World,
    battery_policies,
    battery_truth,
    complexity_frontier,
    decided_complexity,
    excess_complexity,
    policy_complexity,
    visits,
)
from agentic_metrics.information.decisions import Counted
from agentic_metrics.sampling.plugin import Plugin

RARE = [0.5, 0.25, 0.25]


def one_hot(arms: int, hit: float) -> np.ndarray:
    """The right arm in each of `arms` states with probability `hit`, else any other."""
    return np.full((arms, arms), (1 - hit) / (arms - 1)) + np.eye(arms) * (hit - (1 - hit) / (arms - 1))


@pytest.mark.parametrize("states", [1, 2, 3, 8])
def test_one_action_per_state(states: int) -> None:
    assert policy_complexity(np.eye(states)) == pytest.approx(np.log2(states))


@pytest.mark.parametrize(("taken", "bits"), [([0, 1, 2], 1.5), ([0, 1, 1], 1.0), ([0, 0, 1], 0.811278)])
def test_states_that_are_treated_alike(taken: list[int], bits: float) -> None:
    assert policy_complexity(np.eye(3)[taken], RARE) == pytest.approx(bits, abs=1e-6)


@pytest.mark.parametrize(("arms", "bits"), [(4, 0.643220), (8, 1.276503), (2, 0.118709)])
def test_an_arm_that_is_hit_seven_times_in_ten(arms: int, bits: float) -> None:
    assert policy_complexity(one_hot(arms, 0.7)) == pytest.approx(bits, abs=1e-6)


def test_a_rock_and_a_coin_do_not_look() -> None:
    assert policy_complexity(np.eye(4)[[2, 2, 2]]) == pytest.approx(0.0, abs=1e-12)
    assert policy_complexity(np.full((3, 4), 0.25)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "uniform", "own"),
    [
        ("rock", 0, 0),
        ("random", 0, 0),
        ("constant-E", 0, 0),
        ("reflex", 0.5586, 0.9544),
        ("planner-1", 0, 0),
        ("planner-3", 0.7087, 0.3339),
        ("planner-5", 0.8634, 0.9140),
        ("planner-40", 0.3478, 0.5162),
        ("clone", 0.3478, 0.5162),
    ],
)
def test_the_battery(name: str, uniform: float, own: float) -> None:
    world = World.of(battery_truth())
    policy = battery_policies()[name](world)
    free = ~world.ended & (world.rewards.max(1) == 0)
    visited = visits(world, policy, horizon=60) * free
    assert policy_complexity(policy, free / free.sum()) == pytest.approx(uniform, abs=1e-4)
    assert policy_complexity(policy, visited / visited.sum()) == pytest.approx(own, abs=1e-4)


@pytest.mark.parametrize(("name", "bits"), [("reflex", 0.9994), ("planner-40", 0.7465)])
def test_the_battery_with_its_goals(name: str, bits: float) -> None:
    world = World.of(battery_truth())
    policy = battery_policies()[name](world)
    visited = visits(world, policy, horizon=60)
    assert policy_complexity(policy, visited / visited.sum()) == pytest.approx(bits, abs=1e-4)


def test_the_frontier_of_four_arms() -> None:
    frontier = complexity_frontier(np.eye(4), betas=[0, 1, 2])
    assert frontier.policies[:, 0, 0] == pytest.approx([0.25, 0.475367, 0.711235], abs=1e-6)
    assert frontier.bits == pytest.approx([0, 0.170228, 0.675197], abs=1e-6)
    assert frontier.values == pytest.approx(frontier.policies[:, 0, 0])


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_complexity_is_bounded_and_blind_to_names(seed: int, states: int, actions: int) -> None:
    generator = np.random.default_rng(seed)
    policy, law = generator.dirichlet(np.full(actions, 0.5), states), generator.dirichlet(np.ones(states))
    bits = policy_complexity(policy, law)
    assert -1e-12 <= bits <= np.log2(min(states, actions)) + 1e-12
    order, names = generator.permutation(states), generator.permutation(actions)
    assert policy_complexity(policy[order][:, names], law[order]) == pytest.approx(bits, abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_the_frontier_rises_and_no_policy_is_beyond_it(seed: int, states: int, actions: int) -> None:
    generator = np.random.default_rng(seed)
    values, law = generator.normal(size=(states, actions)), generator.dirichlet(np.ones(states))
    frontier = complexity_frontier(values, law, betas=np.geomspace(1e-3, 1e3, 13))
    assert (np.diff(frontier.bits) >= -1e-9).all()
    assert (np.diff(frontier.values) >= -1e-9).all()
    assert excess_complexity(frontier.policies[6], values, law) == pytest.approx(0.0, abs=1e-9)
    policy = generator.dirichlet(np.ones(actions), states)
    excess = excess_complexity(policy, values, law)
    assert -1e-9 <= excess <= policy_complexity(policy, law) + 1e-9


def test_bits_that_buy_nothing_are_all_excess() -> None:
    assert excess_complexity(np.eye(3), np.zeros((3, 3))) == pytest.approx(np.log2(3))
    wrong = np.eye(3)[[1, 2, 0]]
    assert excess_complexity(wrong, np.eye(3)) == pytest.approx(np.log2(3))
    assert excess_complexity(np.eye(3), np.eye(3)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("samples", "formula", "found", "spread"), [(100, 0.06492, 0.06843, 0.03), (1000, 0.006492, 0.006422, 0.003)]
)
def test_the_bias_that_is_removed(samples: int, formula: float, found: float, spread: float) -> None:
    generator = np.random.default_rng(0)
    raw = []
    for _ in range(300):
        seen, done = generator.integers(4, size=(2, samples))
        estimate = PolicyComplexity(surrogates=0).estimate(seen, done, generator=generator)
        raw.append(estimate.value + estimate.diagnostics["bias"])
        assert estimate.diagnostics["bias"] == pytest.approx(formula, abs=1e-5)
    assert np.mean(raw) == pytest.approx(found, abs=4 * spread / np.sqrt(300))


def episodes(policy: Any, count: int, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Independent uniform states and the actions of a policy in them, 25 steps an episode."""
    generator = np.random.default_rng(seed)
    table = np.asarray(policy).cumsum(1)
    seen = generator.integers(len(table), size=(count, 25))
    done = (generator.random((count, 25))[..., None] > table[seen]).sum(-1)
    return list(seen), list(done)


def test_looking_is_distinguished_from_not_looking() -> None:
    generator = np.random.default_rng(1)
    looks = PolicyComplexity().estimate(*episodes(one_hot(4, 0.7), 20, 0), generator=generator)
    blind = PolicyComplexity().estimate(*episodes(np.full((4, 4), 0.25), 20, 0), generator=generator)
    assert looks.null is not None
    assert blind.null is not None
    assert looks.null.p_value < 0.01 < 0.05 <= blind.null.p_value
    assert looks.interval is not None
    assert looks.interval.low < 0.643220 < looks.interval.high


def test_continuous_states() -> None:
    generator = np.random.default_rng(2)
    seen = [generator.normal(size=(50, 2)) for _ in range(10)]
    done = [(each[:, 0] > 0).astype(int) for each in seen]
    found = PolicyComplexity(surrogates=20).estimate(seen, done, generator=generator)
    assert found.estimator == "mixed"
    assert found.value == pytest.approx(1.0, abs=0.15)
    assert found.null is not None
    assert found.null.p_value < 0.05


def test_whoever_plays_by_heart_does_not_look() -> None:
    place = [np.arange(10)] * 12
    found = PolicyComplexity().estimate(place, place, generator=np.random.default_rng(0))
    assert found.value > 2
    assert found.null is not None
    assert found.null.p_value == 1


def test_too_little_data_says_how_much_is_needed() -> None:
    generator = np.random.default_rng(0)
    seen, done = generator.integers(10, size=50), generator.integers(10, size=50)
    found = PolicyComplexity().estimate(seen, done, generator=generator)
    assert any("record at least" in warning for warning in found.warnings)


def test_a_table_is_not_taxed_for_what_it_never_does() -> None:
    """One action per state leaves no noise, so that next to no bias is removed; of a coin, what is known to be."""
    generator = np.random.default_rng(0)
    places = generator.integers(20, size=(400, 1))
    taken = places // 10
    table, plain = (each.information(places, taken) for each in (Counted(), Plugin()))
    assert abs(table.bias) < 0.01 < plain.bias
    coin = generator.integers(2, size=(400, 1))
    tossed, known = (each.information(places, coin) for each in (Counted(), Plugin()))
    assert tossed.bias == pytest.approx(known.bias)
    assert tossed.freedom == known.freedom == 19


def test_what_plays_by_heart_is_inside_the_null_of_its_decisions() -> None:
    heart = [np.arange(6)] * 20
    assert decided_complexity(heart, heart, generator=np.random.default_rng(0)).null.p_value == 1


def test_episodes_without_a_choice_are_left_out() -> None:
    generator = np.random.default_rng(0)
    states = [np.array([0, 1]), np.array([], np.int64), np.array([1]), np.array([0])]
    actions = [np.array([1, 0]), np.array([], np.int64), np.array([0]), np.array([1])]
    found = decided_complexity(states, actions, surrogates=0, generator=generator)
    assert (found.episodes, found.samples) == (3, 4)
    with pytest.raises(UserError, match="told from decisions"):
        decided_complexity(states[1:2], actions[1:2], generator=generator)


def test_the_metric_asks_or_counts() -> None:
    exact = measure(PolicyComplexity(exact=True), Subject(agent=Coin(), environment=TwoPlaces))
    assert exact.value == pytest.approx(0.0, abs=1e-9)
    assert (exact.access, exact.outside_null) == (Access.MODEL, False)
    assert PolicyComplexity().access is Access.RECORDS
    assert PolicyComplexity(state="belief.mean").access is Access.INTERNALS


@given(st.floats(0.01, 0.99), st.integers(2, 6))
def test_the_arm_formula(hit: float, arms: int) -> None:
    assume(abs(hit - 1 / arms) > 1e-3)
    missed = (1 - hit) / (arms - 1)
    noise = -hit * np.log2(hit) - (1 - hit) * np.log2(missed)
    assert policy_complexity(one_hot(arms, hit)) == pytest.approx(np.log2(arms) - noise, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: policy_complexity([[0.5, 0.6]]), "normalize"),
        (lambda: policy_complexity(np.eye(2), [1.0]), "one probability to each of the 2 states"),
        (lambda: policy_complexity([0.5, 0.5]), "table"),
        (lambda: complexity_frontier(np.eye(2), betas=[-1]), "from 0 up"),
        (lambda: excess_complexity(np.eye(2), np.eye(3)), "one shape"),
        (lambda: PolicyComplexity(horizon=0), "horizon"),
        (lambda: PolicyComplexity(estimator="best"), "estimator"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()


@pytest.mark.parametrize("episodes", [2, 3, 4, 5, 7, 8])
def test_whoever_plays_by_heart_is_inside_the_null(episodes: int) -> None:
    """Actions that all episodes have in common move what is seen next, and depend on nothing that is seen."""
    source = np.random.default_rng(episodes)
    done = np.tile(np.cumsum(source.random(90) < 0.5) % 2, (episodes, 1))
    late = np.concatenate([done[:, :1], done[:, :-1]], axis=1)
    seen = np.where(source.random(done.shape) < 0.3, source.integers(2, size=done.shape), late)
    found = PolicyComplexity(surrogates=99).estimate(list(seen), list(done), generator=source)
    assert found.null is not None
    assert found.null.p_value == 1
    one = PolicyComplexity(surrogates=99).estimate(list(seen), list(seen), generator=source)
    assert one.null is not None
    assert one.null.p_value < 0.05, "who does what is seen is outside"
