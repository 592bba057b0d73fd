"""Homeostasis and the bound on control: closed forms, nulls and what is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agentic import Subject, UserError, measure
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_metrics import Homeostasis, control_bound, linear_homeostasis
from agentic_metrics.responses.rooms import Room, thermostat


def source(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def autoregression(a: float, episodes: int, steps: int, generator: np.random.Generator) -> list[Any]:
    x, out = generator.normal(size=episodes) / (1 - a * a) ** 0.5, []
    for _ in range(steps):
        out.append(x)
        x = a * x + generator.normal(size=episodes)
    return list(np.stack(out, 1))


def binary_entropy(p: float) -> float:
    return 0.0 if p in (0, 1) else float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def test_a_linear_loop_exactly() -> None:
    assert 1 / (1 - 0.95**2) == pytest.approx(10.256410, abs=1e-6)
    assert 1 / (1 - 0.5**2) == pytest.approx(1.333333, abs=1e-6)
    assert linear_homeostasis(0.95, 1.0, 0.45, 1.0) == pytest.approx(1.471708, abs=1e-6)


def test_two_linear_loops_side_by_side_add() -> None:
    A, K = np.diag([0.95, 0.8]), np.diag([0.45, 0.3])
    alone = [linear_homeostasis(a, 1.0, k, 2.0) for a, k in ((0.95, 0.45), (0.8, 0.3))]
    assert linear_homeostasis(A, np.eye(2), K, 2 * np.eye(2)) == pytest.approx(sum(alone), abs=1e-12)


def test_an_unstable_loop_is_refused() -> None:
    with pytest.raises(UserError, match="passive loop is unstable"):
        linear_homeostasis(1.0, 1.0, 0.5, 1.0)
    with pytest.raises(UserError, match="closed loop is unstable"):
        linear_homeostasis(0.5, 1.0, 2.0, 1.0)


def test_the_estimate_meets_the_closed_form() -> None:
    draws = source(1)
    found = Homeostasis().estimate(
        autoregression(0.5, 60, 300, draws), autoregression(0.95, 60, 300, draws), generator=source()
    )
    assert found.interval is not None
    error = (found.interval.high - found.interval.low) / 4
    assert abs(found.value - 1.471708) < 4 * error
    assert found.null is not None
    assert found.null.p_value == 0.001


def test_one_long_run_is_cut_into_blocks() -> None:
    draws = source(2)
    closed, passive = (autoregression(a, 1, 20_000, draws)[0] for a in (0.5, 0.95))
    found = Homeostasis().estimate(closed, passive, generator=source())
    assert found.interval is not None
    assert found.interval.low < 1.471708 < found.interval.high
    assert found.episodes >= 10


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), width=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_units_do_not_matter_and_sides_are_opposite(seed: int, scale: float, width: int) -> None:
    draws, metric = source(seed), Homeostasis(surrogates=9)
    closed, passive = ([draws.normal(size=(20, width)) for _ in range(6)] for _ in range(2))
    mix = draws.normal(size=(width, width)) + 3 * np.eye(width)
    one = metric.estimate(closed, passive, generator=source()).value
    moved = [[scale * each @ mix + 5 for each in side] for side in (closed, passive)]
    assert metric.estimate(*moved, generator=source()).value == pytest.approx(one, abs=1e-6)
    assert metric.estimate(passive, closed, generator=source()).value == pytest.approx(-one, abs=1e-9)
    assert metric.estimate(closed, closed, generator=source()).value == 0


@pytest.mark.slow
def test_the_interval_covers_and_the_null_holds() -> None:
    covered = alarms = 0
    metric = Homeostasis(surrogates=99)
    for seed in range(400):
        draws = source(seed)
        closed, passive = (autoregression(a, 20, 50, draws) for a in (0.5, 0.8))
        found = metric.estimate(closed, passive, generator=draws)
        assert found.interval is not None
        covered += found.interval.low < 0.5 * np.log2(0.75 / 0.36) < found.interval.high
        same = metric.estimate(closed, autoregression(0.5, 20, 50, draws), generator=draws)
        assert same.null is not None
        alarms += same.null.p_value <= 0.05
    assert 365 <= covered <= 394
    assert 6 <= alarms <= 35


def test_what_cannot_be_compared_is_refused() -> None:
    numbers = [source(i).normal(size=(10, 2)) for i in range(3)]
    with pytest.raises(UserError, match="names have none"):
        Homeostasis().estimate([np.arange(5)] * 3, numbers, generator=source())
    with pytest.raises(UserError, match="same variables"):
        Homeostasis().estimate([each[:, :1] for each in numbers], numbers, generator=source())
    with pytest.raises(UserError, match="never varies"):
        Homeostasis().estimate([np.ones((10, 2))] * 3, numbers, generator=source())
    with pytest.raises(UserError, match="never varies"):
        Homeostasis().estimate([each[:, [0, 0]] for each in numbers], numbers, generator=source())
    with pytest.raises(UserError, match="at least 4 steps"):
        Homeostasis().estimate(np.zeros((1, 2)), numbers, generator=source())


def test_few_episodes_say_so() -> None:
    few = [source(i).normal(size=20) for i in range(4)]
    assert "record at least 10" in Homeostasis().estimate(few, few, generator=source()).warnings[0]


def test_a_thermostat_steadies_a_room_and_idleness_does_not() -> None:
    metric = Homeostasis(episodes=20, horizon=200, settle=60, surrogates=199)
    found, idle = (measure(metric, Subject(agent=thermostat(gain), environment=Room)) for gain in (0.45, 0.0))
    assert found.interval is not None
    assert found.interval.low < 1.471708 < found.interval.high
    assert found.outside_null
    assert idle.outside_null is False
    assert found.frame.interventions


def test_names_are_refused_by_the_metric() -> None:
    with pytest.raises(UserError, match="continuous observation"):
        measure(Homeostasis(), Subject(agent=Coin(), environment=TwoPlaces))
    with pytest.raises(UserError, match="components 0 to 0"):
        measure(Homeostasis(variables=(1,)), Subject(agent=thermostat(0.1), environment=Room))
    with pytest.raises(UserError, match="settle < horizon"):
        Homeostasis(horizon=5, settle=5)


def test_a_noisy_sensor_bounds_control_tightly() -> None:
    swap = np.stack([np.eye(2), np.eye(2)[::-1]], 1)  # (x, c, x'): x' = x xor c
    for error, removed in ((0.1, 0.531004), (0.0, 1.0), (0.5, 0.0)):
        reads = np.array([[1 - error, error], [error, 1 - error]])
        found = control_bound([0.5, 0.5], reads, swap)
        assert found.removed == pytest.approx(removed, abs=1e-6)
        assert found.removed == pytest.approx(1 - binary_entropy(error), abs=1e-12)
        assert found.open_loop == pytest.approx(0, abs=1e-10)
        assert found.bound == pytest.approx(found.removed, abs=1e-9)


@given(seed=st.integers(0, 10_000), states=st.integers(2, 4), actions=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_no_controller_passes_its_bound(seed: int, states: int, actions: int) -> None:
    draws = source(seed)
    start = draws.dirichlet(np.ones(states))
    found = control_bound(
        start,
        draws.dirichlet(np.full(actions, 0.3), size=states),
        draws.dirichlet(np.full(states, 0.2), size=(states, actions)),
    )
    assert found.removed <= found.bound + 1e-9
    assert found.open_loop >= -1e-9


def test_forgetting_everything_removes_all_of_a_bit_blindly() -> None:
    erase = np.array([[[1.0, 0.0]], [[1.0, 0.0]]])
    found = control_bound([0.5, 0.5], [[1.0], [1.0]], erase)
    assert (found.removed, found.information) == (1.0, 0.0)
    assert found.open_loop == pytest.approx(1.0, abs=1e-9)


def test_what_is_no_distribution_is_refused() -> None:
    with pytest.raises(UserError, match="controller must hold probabilities"):
        control_bound([0.5, 0.5], np.ones((2, 2)), np.full((2, 2, 2), 0.5))
    with pytest.raises(UserError, match="got shapes"):
        control_bound([0.5, 0.5], np.ones((3, 1)), np.full((2, 1, 2), 0.5))
