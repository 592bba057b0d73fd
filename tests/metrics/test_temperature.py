"""The inverse temperature: textbook numbers, standard errors, choices without a mistake, and what is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agentic import Schedule, Subject, UserError, measure, run
from agentic.testing import checks_for
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_metrics import InverseTemperature, bounded_rational, policy_temperature
from tests.metrics.agents import Table


@checks_for(InverseTemperature)
def test_keeps_its_contract(check: Any) -> None:
    check()


@checks_for(InverseTemperature(exact=True))
def test_keeps_its_contract_where_it_is_exact(check: Any) -> None:
    check()


@pytest.mark.parametrize(
    ("beta", "chance", "divergence", "free"),
    [(1, 0.731059, 0.110944, 0.620115), (2, 0.880797, 0.327813, 0.716890), (5, 0.993307, 0.652968, 0.862714)],
)
def test_the_price_of_rationality(beta: float, chance: float, divergence: float, free: float) -> None:
    found = bounded_rational([1.0, 0.0], beta)
    np.testing.assert_allclose(found.policy, [chance, 1 - chance], atol=1e-6)
    assert float(found.divergence) == pytest.approx(divergence, abs=1e-6)
    assert float(found.free_energy) == pytest.approx(free, abs=1e-6)


def test_without_temperature_the_prior_is_followed_for_nothing() -> None:
    found = bounded_rational([[1.0, 0.0], [2.0, 4.0]], 0.0, prior=[0.25, 0.75])
    np.testing.assert_allclose(found.policy, [[0.25, 0.75]] * 2)
    np.testing.assert_allclose(found.divergence, 0.0, atol=1e-15)
    np.testing.assert_allclose(found.free_energy, [0.25, 3.5])


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=5), st.floats(-8, 8).filter(lambda b: abs(b) > 1e-3))
def test_free_energy_is_utility_less_the_price_of_information(utilities: list[float], beta: float) -> None:
    found = bounded_rational(utilities, beta)
    expected = float(found.policy @ np.array(utilities)) - float(found.divergence) / beta
    assert float(found.free_energy) == pytest.approx(expected, abs=1e-9)


def test_eighty_of_a_hundred() -> None:
    found = InverseTemperature().estimate([0] * 80 + [1] * 20, [1.0, 0.0])
    assert found.value == pytest.approx(np.log(4), abs=1e-6)
    assert found.diagnostics["standard_error"] == pytest.approx(0.25, abs=1e-9)
    assert found.diagnostics["deviance"] == pytest.approx(0.0, abs=1e-9)
    assert found.null is not None
    assert found.null.p_value < 1e-8


def test_an_agent_that_avoids_the_better_has_a_negative_one() -> None:
    assert InverseTemperature().estimate([1] * 80 + [0] * 20, [1.0, 0.0]).value == pytest.approx(-np.log(4))


def test_a_prior_is_not_mistaken_for_preference() -> None:
    assert InverseTemperature().estimate([0] * 80 + [1] * 20, [1.0, 0.0], prior=[0.8, 0.2]).value == pytest.approx(
        0, abs=1e-12
    )


def test_a_rock_is_reported_by_its_deviance() -> None:
    utilities = np.array([[1.0, 0.0], [0.0, 1.0]] * 50)
    rock = InverseTemperature().estimate([0] * 100, utilities)
    soft = InverseTemperature().estimate([0, 1, 0, 1, 0, 1, 0, 1, 1, 0] * 10, utilities)
    assert rock.value == pytest.approx(0, abs=1e-9)
    assert rock.diagnostics["deviance"] == pytest.approx(200 * np.log(2))
    assert soft.diagnostics["deviance"] == pytest.approx(0, abs=1e-9)


def test_without_a_mistake_there_is_only_a_bound() -> None:
    found = InverseTemperature().estimate([0] * 30, [1.0, 0.0])
    interval = found.interval
    assert interval is not None
    assert found.value == interval.high == np.inf
    # 30 ln(1 + exp(-b)) is half the squared normal quantile of .95
    assert 30 * np.log1p(np.exp(-interval.low)) == pytest.approx(1.6448536**2 / 2, abs=1e-6)
    assert "unbounded" in found.warnings[0]
    worst = InverseTemperature().estimate([1] * 30, [1.0, 0.0])
    assert worst.interval is not None
    assert (worst.value, worst.interval.low) == (-np.inf, -np.inf)
    assert worst.interval.high == pytest.approx(-interval.low)


def test_ties_tell_nothing_and_break_nothing() -> None:
    tied = InverseTemperature().estimate(
        [0, 1, 0, 1] + [0] * 80 + [2] * 20, [[1.0, 1.0, 1.0]] * 4 + [[1.0, 0.0, 0.0]] * 100
    )
    plain = InverseTemperature().estimate([0] * 80 + [2] * 20, [1.0, 0.0, 0.0])
    assert tied.value == pytest.approx(plain.value)


def test_episodes_that_differ_from_each_other_widen_the_interval() -> None:
    choices = np.repeat([0, 0, 0, 0, 1], 20)
    alone = InverseTemperature().estimate(choices, [1.0, 0.0])
    grouped = InverseTemperature().estimate(choices, [1.0, 0.0], groups=np.repeat(np.arange(5), 20))
    assert grouped.value == alone.value
    assert grouped.diagnostics["standard_error"] > 4 * alone.diagnostics["standard_error"]
    assert grouped.episodes == 5


def test_few_choices_are_said_to_be_few() -> None:
    assert "record at least 20" in InverseTemperature().estimate([0, 1, 0], [1.0, 0.0]).warnings[0]


@settings(max_examples=30)
@given(st.floats(-3, 3), st.floats(0.05, 20), st.integers(0, 10_000))
def test_the_likeliest_beta_scales_with_the_unit_of_utility(beta: float, unit: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    utilities = generator.normal(size=(200, 3))
    policy = bounded_rational(utilities, beta).policy
    choices = (policy.cumsum(1) < generator.random((200, 1))).sum(1)
    found = InverseTemperature().estimate(choices, utilities)
    assert found.diagnostics["standard_error"] < 0.5
    assert abs(found.value - beta) < 5.5 * found.diagnostics["standard_error"]
    assert InverseTemperature().estimate(choices, unit * utilities).value == pytest.approx(
        found.value / unit, rel=1e-6, abs=1e-9
    )


@given(st.floats(-4, 4))
def test_a_known_policy_tells_its_beta_exactly(beta: float) -> None:
    utilities = np.array([[1.0, 0.0, 0.5], [2.0, 2.5, 0.0], [1.0, 1.0, 1.0]])
    policy = bounded_rational(utilities, beta).policy
    assert policy_temperature(policy, utilities, [0.2, 0.5, 0.3]) == pytest.approx(beta, abs=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [1.0, 1.0]), "equally good options"),
        (([], [1.0, 0.0]), "0 choices need finite utilities"),
        (([0, 2], [1.0, 0.0]), "choices must be whole numbers from 0 to 1"),
        (([0, 1], [1.0, np.nan]), "need finite utilities"),
        (([0, 1], [[1.0, 0.0]] * 3), "2 choices need finite utilities"),
        (([0, 1], [1.0, 0.0], [0.5, 0.6]), "a prior over 2 options"),
    ],
)
def test_what_has_no_temperature_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        InverseTemperature().estimate(*arguments)


def test_a_coin_tosser_follows_nothing_and_a_follower_what_it_follows() -> None:
    record = run(Coin(), TwoPlaces, Schedule(episodes=40), seed=3)
    tossed = measure(InverseTemperature(), Subject(record=record, environment=TwoPlaces))
    assert tossed.null is not None
    assert tossed.null.p_value > 0.01  # five coins in a hundred lie
    assert abs(tossed.value) < 0.5
    # With one step of depth an action is worth .9 more than the other; the follower takes it four times in five.
    metric = InverseTemperature(depth=1, exact=True)
    follower = measure(metric, Subject(agent=Table([[0.2, 0.8]] * 2), environment=TwoPlaces))
    assert follower.value == pytest.approx(np.log(4) / 0.9, abs=1e-6)
    assert follower.outside_null is True
    followed = run(Table([[0.2, 0.8]] * 2), TwoPlaces, Schedule(episodes=40), seed=3)
    sampled = measure(InverseTemperature(depth=1), Subject(record=followed, environment=TwoPlaces))
    assert sampled.interval is not None
    assert sampled.interval.low < follower.value < sampled.interval.high
    assert sampled.outside_null is True


def test_a_metric_with_no_meaning_is_refused() -> None:
    with pytest.raises(UserError, match="depth and horizon"):
        InverseTemperature(depth=0)
