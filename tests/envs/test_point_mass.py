"""The point mass: its physics, its exact answers, and what is refused."""

from typing import Any

import numpy as np
import pytest
import torch

from agentic import UserError, make
from agentic.testing import checks_for
from agentic_envs.point_mass import PointMass


@checks_for(PointMass)
def test_keeps_its_contract(check: Any) -> None:
    check()


def test_a_held_force_moves_the_mass_as_newton_says() -> None:
    env = PointMass(dimensions=1, dt=0.5, force=4.0)
    env.reset(seed=0)
    env.position, env.velocity = np.array([1.0]), np.array([-2.0])
    obs, reward, *_ = env.step(np.array([0.5], dtype=np.float32))
    assert obs.tolist() == [1 - 1 + 0.25, -2 + 1]
    assert reward == pytest.approx(-0.5 * (0.25**2 + 0.1 * 1 + 0.1 * 0.25))


def test_the_system_is_what_happens() -> None:
    env = PointMass(dimensions=3, noise=0.2, sensor_noise=0.1, bound=np.inf, steps=5000)
    system = env.linear_system()
    A, B = system.A.numpy(), system.B.numpy()
    obs, _ = env.reset(seed=2)
    source, pushed, seen = np.random.default_rng(0), [], []
    for _ in range(4000):
        before, action = np.concatenate([env.position, env.velocity]), source.normal(size=3)
        obs, reward, *_ = env.step(action)
        after = np.concatenate([env.position, env.velocity])
        pushed.append(after - A @ before - B @ action)
        seen.append(obs - after)
        weights, effort = env.weights()
        assert reward == pytest.approx(-0.5 * (weights @ after**2 + effort @ action**2))
        env.position, env.velocity = source.normal(size=(2, 3))
    for noises, expected in ((pushed, system.Q), (seen, system.R)):
        np.testing.assert_allclose(np.cov(np.transpose(noises)), expected.numpy(), atol=0.004)


def test_without_noise_the_best_feedback_returns_the_cost_to_go() -> None:
    """The closed loop of Riccati's gains, by hand, pays z' S z / 2; any other pays more."""
    env = PointMass(bound=np.inf, steps=20)
    for extra in (0.0, 0.1):
        obs, _ = env.reset(seed=1)
        start, paid = obs.astype(np.float64), 0.0
        start[:2] = env.position
        for t in range(20):
            z = np.concatenate([env.position, env.velocity])
            action = env_gain(env, 20 - t) @ z
            paid -= env.step(action + extra)[1]
        best = 0.5 * start @ env.cost_to_go(20)[0] @ start
        assert paid == pytest.approx(best) if extra == 0 else paid > best + 1e-3


def env_gain(env: PointMass, left: int) -> np.ndarray:
    """The gain of the best action with so many steps left."""
    system, (weights, effort) = env.linear_system(), env.weights()
    ahead = env.cost_to_go(left - 1)[0] + np.diag(weights)
    A, B = system.A.numpy(), system.B.numpy()
    gain: np.ndarray = -np.linalg.solve(np.diag(effort) + B.T @ ahead @ B, B.T @ ahead @ A)
    return gain


def test_the_noise_that_nobody_can_steer_against_costs_what_it_says() -> None:
    env = PointMass(dimensions=1, noise=0.3, bound=np.inf, steps=6)
    S, constant = env.cost_to_go(6)
    gains = [env_gain(env, 6 - t) for t in range(6)]
    paid = np.zeros(3000)
    env.reset(seed=0)
    for run in range(len(paid)):
        env.position, env.velocity, env.time = np.array([0.5]), np.array([0.0]), 0
        for gain in gains:
            paid[run] -= env.step(gain @ np.concatenate([env.position, env.velocity]))[1]
    start = np.array([0.5, 0.0])
    assert paid.mean() == pytest.approx(0.5 * start @ S @ start + constant, abs=3 * paid.std() / len(paid) ** 0.5)


def test_many_steps_are_the_stationary_answer() -> None:
    from scipy.linalg import solve_discrete_are

    env = PointMass()
    system, (weights, effort) = env.linear_system(), env.weights()
    forever = solve_discrete_are(system.A.numpy(), system.B.numpy(), np.diag(weights), np.diag(effort))
    np.testing.assert_allclose(env.cost_to_go(1000)[0] + np.diag(weights), forever, rtol=1e-9)


def test_the_matrices_are_float64_tensors_of_the_latent() -> None:
    system = PointMass(dimensions=3).linear_system()
    assert {name: tuple(getattr(system, name).shape) for name in "ABcQCdR"} == {
        "A": (6, 6), "B": (6, 3), "c": (6,), "Q": (6, 6), "C": (6, 6), "d": (6,), "R": (6, 6),
    }  # fmt: skip
    assert all(getattr(system, name).dtype == torch.float64 for name in "ABcQCdR")


def test_no_array_tells_its_truth() -> None:
    with pytest.raises(UserError, match="the truth of PointMass is not known"):
        make(PointMass()).truth()


def test_a_wrapper_may_change_its_numbers_and_is_informed_when_they_are_none() -> None:
    env = PointMass()
    env.force = 2.0
    assert env.linear_system().B[2, 0] == pytest.approx(0.2)
    env.noise = -1.0
    with pytest.raises(ValueError, match="noise must be a number of at least 0"):
        env.reset(seed=0)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"dimensions": 0}, "dimensions must be a whole number of at least 1"),
        ({"dimensions": 2.0}, "dimensions must be a whole number"),
        ({"dt": 0.0}, "dt must be a number above 0"),
        ({"bound": 0}, "bound must be a number above 0"),
        ({"effort": "none"}, "effort must be a number of at least 0"),
        ({"sensor_noise": float("nan")}, "sensor_noise must be a number of at least 0"),
        ({"steps": 0}, "steps must be a whole number of at least 1"),
    ],
)
def test_what_makes_no_world_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        PointMass(**settings)


def test_without_effort_there_is_no_best_action() -> None:
    with pytest.raises(ValueError, match="cost_to_go needs an effort > 0"):
        PointMass(effort=0.0).cost_to_go(3)


@pytest.mark.parametrize("action", [[1.5, 0.0], [0.0], [float("nan"), 0.0]])
def test_an_action_outside_the_space_is_refused(action: list[float]) -> None:
    env = PointMass()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action must be an element of Box"):
        env.step(np.array(action, dtype=np.float32))


def test_text_and_picture_show_mass_and_target() -> None:
    env, picture = PointMass(render_mode="ansi"), PointMass(dimensions=1, render_mode="rgb_array")
    env.reset(seed=0)
    picture.reset(seed=0)
    env.position = np.array([9.0, 1.4])
    rows = env.render().split()
    assert (len(rows), rows[0], rows[4]) == (9, "........@", "....G....")
    assert picture.render().shape == (32, 9 * 32, 3)
