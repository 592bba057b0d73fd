"""Controllability: Gramians known by hand, their dual, finite worlds and worlds linearized."""

from functools import partial

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agentic import Subject, UserError, measure
from agentic.testing.worlds import TwoPlaces
from agentic_metrics import Controllability, World, controllability, gramian, jacobians, observability, response
from agentic_metrics.responses.rooms import Field, Room

INTEGRATOR = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([0.5, 1.0])


@pytest.mark.parametrize(
    ("horizon", "entries", "det"),
    [(2, [[2.5, 2.0], [2.0, 2.0]], 1), (3, [[8.75, 4.5], [4.5, 3.0]], 6), (5, [[41.25, 12.5], [12.5, 5.0]], 50)],
)
def test_the_double_integrator(horizon: int, entries: list[list[float]], det: float) -> None:
    w = gramian(*INTEGRATOR, horizon)
    np.testing.assert_allclose(w, entries, rtol=0, atol=1e-12)
    found = controllability(*INTEGRATOR, horizon)
    assert found.rank == 2
    assert found.log_det == pytest.approx(np.log2(det), abs=1e-9)


def test_a_mode_out_of_reach_lowers_the_rank() -> None:
    found = controllability(np.diag([0.9, 0.5]), [1.0, 0.0])
    assert (found.rank, found.dimension, found.log_det) == (1, 2, -np.inf)
    assert found.energy([0.0, 1.0]) == np.inf
    assert found.energy([1.0, 0.0]) == pytest.approx(1 / (1 + 0.81), abs=1e-12)


def test_without_input_nothing_is_controlled() -> None:
    found = controllability(np.diag([0.9, 0.5]), np.zeros((2, 1)))
    assert found.rank == 0
    assert found.energy([0.0, 0.0]) == 0


def test_a_long_chain_of_slow_modes_keeps_its_rank() -> None:
    chain = 1e-3 * np.eye(12, k=-1) + 0.5 * np.eye(12)
    assert controllability(chain, np.eye(12)[0]).rank == 12
    assert controllability(chain, np.eye(12)[0], 7).rank == 7


@given(seed=st.integers(0, 10_000), n=st.integers(1, 4), m=st.integers(1, 2), horizon=st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_least_energy_is_that_of_least_squares(seed: int, n: int, m: int, horizon: int) -> None:
    draws = np.random.default_rng(seed)
    A, B, x = draws.normal(size=(n, n)), draws.normal(size=(n, m)), draws.normal(size=n)
    columns = np.concatenate([np.linalg.matrix_power(A, i) @ B for i in range(horizon)], 1)
    np.testing.assert_allclose(gramian(A, B, horizon), columns @ columns.T, atol=1e-8)
    found = controllability(A, B, horizon)
    assert found.rank == min(n, m * horizon)
    if found.rank == n:
        inputs = np.linalg.lstsq(columns, x, rcond=None)[0]
        assert found.energy(x) == pytest.approx(inputs @ inputs, rel=1e-4)
    dual = observability(A.T, B.T, horizon)
    np.testing.assert_array_equal(dual.gramian, found.gramian)
    assert dual.rank == found.rank


def test_shapes_are_checked() -> None:
    with pytest.raises(UserError, match="A \\(d, d\\)"):
        controllability(np.eye(2), np.ones((3, 1)))
    with pytest.raises(UserError, match="horizon"):
        gramian(np.eye(2), np.ones((2, 1)), 0)
    with pytest.raises(UserError, match="finite"):
        controllability([[np.nan]], [1.0])
    with pytest.raises(UserError, match="shape"):
        controllability(np.eye(1), [1.0]).energy([1.0, 2.0])


def test_derivatives_of_a_step() -> None:
    A, B = jacobians(lambda x, u: np.array([x[1], np.sin(x[0]) * u[0]]), [0.3, 2.0], [0.7])
    np.testing.assert_allclose(A, [[0, 1], [np.cos(0.3) * 0.7, 0]], atol=1e-8)
    np.testing.assert_allclose(B, [[0], [np.sin(0.3)]], atol=1e-8)


def test_the_response_of_a_linear_world_is_its_powers() -> None:
    env = Room(0.5)
    env.reset(seed=1)
    found = response(env, np.zeros((3, 1)))
    np.testing.assert_allclose(found.jacobian[0, :, 0], [0.25, 0.5, 1.0], atol=1e-9)
    assert env.state == 0
    for _ in range(3):
        env.step(np.zeros(1))
    np.testing.assert_array_equal(env.state, found.place)


def test_a_pendulum_is_controlled_in_both_of_its_dimensions() -> None:
    found = measure(Controllability(), Subject(environment=partial(gymnasium.make, "Pendulum-v1")))
    assert found.value == 1
    assert found.diagnostics["dimension"] == 2
    assert found.outside_null


def test_the_response_of_a_pendulum_is_the_product_of_its_steps() -> None:
    env = gymnasium.make("Pendulum-v1")
    env.reset(seed=3)
    theta, speed = env.unwrapped.state  # type: ignore[attr-defined]
    found = response(env, np.zeros((2, 1)))

    def step(x: np.ndarray, u: np.ndarray) -> np.ndarray:
        faster = x[1] + (15 * np.sin(x[0]) + 3 * u[0]) * 0.05
        return np.array([x[0] + faster * 0.05, faster])

    first = step(np.array([theta, speed]), np.zeros(1))
    A, B = jacobians(step, first, [0.0])
    before = jacobians(step, [theta, speed], [0.0])[1]
    np.testing.assert_allclose(found.jacobian[:, :, 0], np.concatenate([A @ before, B], 1), atol=1e-6)


def test_a_world_that_ignores_its_actions_is_not_controlled() -> None:
    dynamics = np.tile(np.full((3, 1, 3), 1 / 3), (1, 2, 1))
    world = World(dynamics, np.zeros((3, 2)), np.full(3, 1 / 3), np.zeros(3, bool))
    found = Controllability(horizon=5).of_world(world)
    assert (found.value, found.diagnostics) == (0, {"choice": 0, "reachable": 1})


def test_a_corridor_is_controlled_as_far_as_the_horizon() -> None:
    dynamics = np.zeros((4, 2, 4))
    for s in range(4):
        dynamics[s, 0, max(s - 1, 0)] = dynamics[s, 1, min(s + 1, 3)] = 1
    world = World(dynamics, np.zeros((4, 2)), np.eye(4)[0], np.zeros(4, bool))
    shares = [Controllability(horizon=h).of_world(world).value for h in (1, 2, 3)]
    assert shares == pytest.approx([6 / 12, 10 / 12, 1])


def test_places_that_hold_who_enters_count_as_arrivals_only() -> None:
    subject = Subject(environment=Field)
    found = measure(Controllability(horizon=4), subject)
    assert found.interval is None
    assert found.diagnostics["reachable"] == 1.0
    assert found.value == 1.0
    assert measure(Controllability(), Subject(environment=TwoPlaces)).diagnostics["choice"] == pytest.approx(
        1 - 0.1**10
    )


def test_worlds_that_cannot_be_linearized_are_refused() -> None:
    room = Room()
    room.reset(seed=0)
    with pytest.raises(UserError, match="continuous actions"):
        response(TwoPlaces(), np.zeros((2, 1)))
    with pytest.raises(UserError, match="is not known"):
        measure(Controllability(), Subject(environment=partial(gymnasium.make, "CartPole-v1")))
    with pytest.raises(UserError, match="starts >= 2"):
        Controllability(starts=1)
