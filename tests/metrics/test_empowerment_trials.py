"""Empowerment of worlds that can only be tried: linearized, and as a lower bound from samples."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from agentic import Subject, UserError, measure
from agentic_metrics import (
    Empowerment,
    capacity,
    gaussian_empowerment,
    lattice,
    variational_empowerment,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def pendulum_at(angle: float, speed: float = 0.0) -> gymnasium.Env[Any, Any]:
    env = gymnasium.make("Pendulum-v1")
    env.reset(seed=0)
    inner: Any = env.unwrapped
    inner.state = np.array([angle, speed])
    return env


@pytest.mark.parametrize("angle", [0.0, np.pi / 2, np.pi])
def test_simulator_agrees_with_its_equations(angle: float) -> None:
    """Speed first, then place: theta' = theta + dt speed', speed' = speed + dt (15 sin theta + 3 u), nearly linear."""
    pull = 0.05 * 15 * np.cos(angle)
    dynamics, control = [[1 + 0.05 * pull, 0.05], [pull, 1]], [0.05 * 0.15, 0.15]
    known = gaussian_empowerment(dynamics, control, 2, power=1.0, noise=0.01)
    assert Empowerment(horizon=2, noise=0.01).linearized(pendulum_at(angle)) == pytest.approx(known, abs=2e-3)


def test_upright_is_most_in_control_when_only_the_reading_is_noisy() -> None:
    upright, hanging = (Empowerment(horizon=15).linearized(pendulum_at(angle)) for angle in (0.0, np.pi))
    assert upright > hanging + 0.5


def test_noise_of_the_reading_may_be_a_covariance() -> None:
    env, metric = pendulum_at(1.0), Empowerment(horizon=3, noise=0.02)
    for noise in (0.02, [0.02, 0.02], 0.02 * np.eye(2)):
        assert Empowerment(horizon=3).linearized(env, noise) == pytest.approx(metric.linearized(env))
    assert metric.linearized(env, [0.02, 2.0]) < metric.linearized(env)
    with pytest.raises(UserError, match="a variance, 2 variances"):
        metric.linearized(env, [0.02] * 3)


def test_environment_stays_where_it_is() -> None:
    env = pendulum_at(1.0, 0.5)
    inner: Any = env.unwrapped
    Empowerment(horizon=3).linearized(env)
    assert inner.state == pytest.approx([1.0, 0.5])


def test_metric_of_a_pendulum() -> None:
    subject = Subject(environment=lambda: gymnasium.make("Pendulum-v1"))
    found = measure(Empowerment(horizon=4), subject, seed=3)
    assert found.samples == len(found.diagnostics["map"]) == 8
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    assert "noise variance 0.01" in str(found.frame)
    assert found == measure(Empowerment(horizon=4), subject, seed=3)
    louder = measure(Empowerment(horizon=4, noise=0.1), subject, seed=3)
    assert louder.value < found.value


def test_linearized_refusals() -> None:
    with pytest.raises(UserError, match="continuous actions"):
        Empowerment(horizon=3).linearized(gymnasium.make("CartPole-v1"))
    with pytest.raises(UserError, match="horizon"):
        Empowerment(horizon=0).linearized(pendulum_at(0.0))


def binary(flip: float) -> Any:
    def simulate(sequences: Ints, generator: np.random.Generator) -> Ints:
        return sequences[:, 0] ^ (generator.random(len(sequences)) < flip)

    return simulate


def in_world(dynamics: Floats, state: int) -> Any:
    def simulate(sequences: Ints, generator: np.random.Generator) -> Ints:
        here = np.full(len(sequences), state)
        for actions in sequences.T:
            reached = np.cumsum(dynamics[here, actions], axis=1)
            here = (generator.random((len(here), 1)) > reached).sum(1)
        return here

    return simulate


def test_variational_bound_of_a_binary_channel() -> None:
    truth = capacity([[0.9, 0.1], [0.1, 0.9]]).value
    found = variational_empowerment(binary(0.1), 2, 1, generator=np.random.default_rng(0), samples=20_000)
    assert found.estimator == "variational_lower_bound"
    assert found.interval is not None
    assert found.interval.low <= truth
    assert found.value == pytest.approx(truth, abs=0.03)
    assert found.null is not None
    assert found.null.p_value < 1e-6


def test_variational_bound_of_a_room() -> None:
    room = lattice(5, 5, success=0.9)
    for state in (0, 12):
        truth = Empowerment(horizon=2).map(room, states=[state]).value[0]
        source = np.random.default_rng(state)
        found = variational_empowerment(in_world(room, state), 5, 2, generator=source, samples=8000)
        assert found.interval is not None
        error = (found.interval.high - found.value) / 1.96
        assert truth - 0.15 < found.value < truth + 4 * error


def test_variational_bound_never_exceeds_the_truth_but_by_chance() -> None:
    """Forty bounds from few trials: none is above the truth by more than chance, nor are they on average."""
    truth = capacity([[0.9, 0.1], [0.1, 0.9]]).value
    found = [
        variational_empowerment(binary(0.1), 2, 1, generator=np.random.default_rng(seed), samples=200, rounds=3)
        for seed in range(40)
    ]
    errors = [each.null.sd for each in found if each.null is not None]
    excess = np.array([each.value for each in found]) - truth
    assert (excess < 4 * np.array(errors)).all()
    assert excess.mean() < 3 * excess.std(ddof=1) / 40**0.5


def test_variational_bound_without_control() -> None:
    found = variational_empowerment(binary(0.5), 2, 1, generator=np.random.default_rng(1), samples=4000)
    assert found.value < 0.005
    assert found.null is not None
    assert found.null.p_value > 0.01


def test_variational_bound_of_measurements() -> None:
    """Two actions that push a number to -1 or 1, read with unit noise: .4856 bits (Gaussian mixture, by quadrature)."""

    def simulate(sequences: Ints, generator: np.random.Generator) -> Floats:
        return 2.0 * sequences - 1 + generator.standard_normal(sequences.shape)

    y = np.linspace(-8, 8, 4001)
    densities = np.exp(-((y[:, None] - [-1, 1]) ** 2) / 2) / np.sqrt(2 * np.pi)
    mixed = densities.mean(1)
    truth = -np.trapezoid(mixed * np.log2(mixed), y) - np.log2(2 * np.pi * np.e) / 2
    found = variational_empowerment(simulate, 2, 1, generator=np.random.default_rng(2), rounds=2)
    assert found.interval is not None
    assert found.interval.low <= truth
    assert found.value == pytest.approx(truth, abs=0.05)


def test_few_trials_are_reported_and_too_few_refused() -> None:
    found = variational_empowerment(binary(0.1), 2, 1, generator=np.random.default_rng(0), samples=20)
    assert found.warnings == ("20 samples loosen the bound for 2 sequences: draw at least 40",)
    with pytest.raises(UserError, match="shorten the horizon"):
        variational_empowerment(binary(0.1), 2, 13, generator=np.random.default_rng(0))
    with pytest.raises(UserError, match="one outcome for each"):
        variational_empowerment(lambda *_: [0, 1], 2, 1, generator=np.random.default_rng(0))
