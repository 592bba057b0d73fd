"""Capacities known in closed form, and what holds for every channel."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from agentic import UserError
from agentic_metrics import capacities, capacity, gaussian_empowerment, water_filling
from agentic_metrics.channels import arimoto

Floats = NDArray[np.float64]


def symmetric(p: float, n: int = 2) -> Floats:
    return np.full((n, n), p / (n - 1)) + np.eye(n) * (1 - p - p / (n - 1))


def z(p: float) -> list[list[float]]:
    return [[1.0, 0.0], [p, 1 - p]]


KNOWN = {
    "binary symmetric, .1": (symmetric(0.1), 0.531004),
    "binary symmetric, .11": (symmetric(0.11), 0.500084),
    "erasure, .25": ([[0.75, 0.25, 0.0], [0.0, 0.25, 0.75]], 0.75),
    "Z, .5": (z(0.5), 0.321928),
    "Z, .1": (z(0.1), 0.762848),
    "Z, .2": (z(0.2), 0.618231),
    "noisy typewriter": (np.eye(26) / 2 + np.roll(np.eye(26), 1, axis=1) / 2, 3.700440),
    "ternary symmetric": (symmetric(0.2, 3), 0.663034),
    "equal rows": ([[0.2, 0.3, 0.5]] * 4, 0.0),
    "a useless third input": ([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.3, 0.4, 0.3]], 0.365148),
    "one input": ([[0.5, 0.5]], 0.0),
    "no noise": (np.eye(8), 3.0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_capacities(name: str) -> None:
    channel, value = KNOWN[name]
    found = capacity(channel, tolerance=1e-9)
    assert found.value == pytest.approx(value, abs=1e-6)
    assert 0 <= found.gap <= 1e-9
    assert found.distribution.sum() == pytest.approx(1)


def test_all_side_by_side() -> None:
    channels, values = zip(*KNOWN.values(), strict=True)
    assert [each.value for each in capacities(channels, tolerance=1e-9)] == pytest.approx(list(values), abs=1e-6)


@pytest.mark.parametrize(("p", "weight"), [(0.5, 0.4), (0.1, 0.456298)])
def test_weight_of_the_noisy_input(p: float, weight: float) -> None:
    found = capacity(z(p), tolerance=1e-12)
    assert found.value == pytest.approx(np.log2(1 + (1 - p) * p ** (p / (1 - p))), abs=1e-11)
    assert found.distribution[1] == pytest.approx(weight, abs=1e-6)


def test_useless_inputs_get_no_weight() -> None:
    assert capacity(KNOWN["a useless third input"][0], tolerance=1e-10).distribution[2] < 1e-7


def test_bounds_are_as_close_as_asked_for() -> None:
    """Two inputs that are all but equally good: alternating steps alone would take thousands."""
    channel = [[0.9, 0.1, 0.0], [0.0, 0.1, 0.9], [0.45, 0.1 + 1e-4, 0.45 - 1e-4]]
    for tolerance in (1e-3, 1e-6, 1e-9, 1e-12):
        found = capacity(channel, tolerance=tolerance)
        assert 0 <= found.gap <= tolerance
        assert found.iterations < 120


def test_without_newton_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    source = np.random.default_rng(5)
    channels = [source.dirichlet(np.full(k, 0.4), size=n) for n, k in product((2, 5, 9), (2, 4, 7))]
    fast = capacities(channels, tolerance=1e-8)
    monkeypatch.setattr(arimoto, "EASY", 20_000)
    slow = capacities(channels, tolerance=1e-8)
    assert [each.value for each in fast] == pytest.approx([each.value for each in slow], abs=1e-8)


@st.composite
def channel(draw: st.DrawFn) -> Floats:
    """Up to six inputs and outputs; entries are often zero, rows sometimes equal."""
    inputs, outputs = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    counts = draw(
        st.lists(st.lists(st.integers(0, 4), min_size=outputs, max_size=outputs), min_size=inputs, max_size=inputs)
    )
    rows = np.array(counts, np.float64)
    rows[:, 0] += rows.sum(1) == 0
    return np.asarray(rows / rows.sum(1, keepdims=True))


@given(channel())
@settings(max_examples=80, deadline=None)
def test_bounds_bracket_and_are_achieved(rows: Floats) -> None:
    found = capacity(rows, tolerance=1e-7)
    output = found.distribution @ rows
    ratio = np.divide(rows, output, out=np.ones_like(rows), where=rows > 0)
    divergence = (rows * np.log2(ratio)).sum(1)
    assert found.distribution @ divergence == pytest.approx(found.value, abs=1e-9)
    assert divergence.max() == pytest.approx(found.upper, abs=1e-9)
    assert found.value <= found.upper + 1e-12
    assert found.gap <= 1e-7
    assert found.value <= np.log2(min(rows.shape)) + 1e-9


@given(channel(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_names_and_copies_do_not_matter(rows: Floats, source: object) -> None:
    order = np.random.default_rng(source.randrange(2**32))  # type: ignore[attr-defined]
    shuffled = rows[order.permutation(len(rows))][:, order.permutation(rows.shape[1])]
    twice = np.concatenate([rows, rows[: len(rows) // 2 + 1]])
    value = capacity(rows, tolerance=1e-8).value
    assert capacity(shuffled, tolerance=1e-8).value == pytest.approx(value, abs=2e-8)
    assert capacity(twice, tolerance=1e-8).value == pytest.approx(value, abs=2e-8)


@given(channel(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_processing_loses_information(rows: Floats, seed: int) -> None:
    after = np.random.default_rng(seed).dirichlet(np.ones(3), size=rows.shape[1])
    assert capacity(rows @ after).value <= capacity(rows).upper + 1e-9


@pytest.mark.parametrize("wrong", [[], [1.0, 0.0], [[0.5, 0.6]], [[-0.1, 1.1]], [[float("nan"), 1.0]]])
def test_no_channel(wrong: object) -> None:
    with pytest.raises(UserError, match="channel"):
        capacity(wrong)


def test_tolerance_must_be_positive() -> None:
    with pytest.raises(UserError, match="tolerance"):
        capacity([[1.0]], tolerance=0)


@pytest.mark.parametrize(
    ("sizes", "power", "value", "used"),
    [
        ([1], 1, 0.5, 1),
        ([2, 1], 1, 1.169925, 2),
        ([2, 1], 0.5, 0.792481, 1),
        ([2, 1, 0.5], 3, 2.087463, 2),
        ([3], 4, 2.604727, 1),
        ([0, 0], 1, 0.0, 0),
        ([1, 2], 0, 0.0, 0),
    ],
)
def test_water_filling(sizes: list[float], power: float, value: float, used: int) -> None:
    found = water_filling(np.square(sizes), power)
    assert found.value == pytest.approx(value, abs=1e-6)
    assert np.count_nonzero(found.powers) == used
    assert found.powers.sum() == pytest.approx(power if used else 0)


def test_powers_of_two_directions() -> None:
    assert water_filling([1, 4], 1).powers == pytest.approx([0.125, 0.875])


@given(st.lists(st.floats(0, 50), min_size=1, max_size=6), st.floats(0, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_no_other_spread_of_power_is_better(gains: list[float], power: float, seed: int) -> None:
    other = np.random.default_rng(seed).dirichlet(np.ones(len(gains))) * power
    assert water_filling(gains, power).value >= np.log2(1 + np.array(gains) * other).sum() / 2 - 1e-9


@pytest.mark.parametrize(("steps", "value"), [(1, 0.584963), (2, 1.198294), (3, 1.805291), (5, 2.766787)])
def test_double_integrator(steps: int, value: float) -> None:
    assert gaussian_empowerment([[1, 1], [0, 1]], [0.5, 1], steps, noise=1.0) == pytest.approx(value, abs=1e-6)


def pendulum(steps: int, gravity: float, **noise: float) -> float:
    """Linearized at upright (gravity 9.81), sideways (0) and hanging (-9.81), in steps of .05 s."""
    return float(gaussian_empowerment([[1, 0.05], [0.05 * gravity, 1]], [0, 0.05], steps, **noise))


READOUT = {5: (0.629604, 0.588979, 0.550780), 10: (1.261140, 0.929805, 0.673583), 20: (3.079314, 1.424905, 1.020632)}
PROCESS = {10: (0.0608, 0.1610, 0.0560), 20: (0.0268, 0.1610, 0.0190)}


@pytest.mark.parametrize("steps", READOUT)
def test_pendulum_read_with_noise(steps: int) -> None:
    found = [pendulum(steps, gravity, noise=0.01) for gravity in (9.81, 0, -9.81)]
    assert found == pytest.approx(READOUT[steps], abs=1e-6)
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("steps", PROCESS)
def test_pendulum_pushed_at_every_step(steps: int) -> None:
    upright, sideways, hanging = (pendulum(steps, gravity, noise=0, process_noise=0.01) for gravity in (9.81, 0, -9.81))
    assert (upright, sideways, hanging) == pytest.approx(PROCESS[steps], abs=1e-4)
    assert sideways > upright > hanging


def test_noise_as_variance_variances_or_covariance() -> None:
    system = [[1, 1], [0, 1]], [[0.5], [1]], 3
    values = [gaussian_empowerment(*system, noise=noise) for noise in (0.2, [0.2, 0.2], 0.2 * np.eye(2))]
    assert values == pytest.approx([values[0]] * 3)


def test_linear_worlds_that_make_no_sense() -> None:
    with pytest.raises(UserError, match="add noise"):
        gaussian_empowerment([[1.0]], [1.0], 2, noise=0.0)
    with pytest.raises(UserError, match="horizon at least 1"):
        gaussian_empowerment([[1.0]], [1.0], 0)
    with pytest.raises(UserError, match="dynamics must be"):
        gaussian_empowerment([[1.0, 0.0]], [1.0], 1)
    with pytest.raises(UserError, match="variance"):
        gaussian_empowerment([[1.0]], [1.0], 1, noise=[1.0, 2.0])
    with pytest.raises(UserError, match="not negative"):
        water_filling([-1.0], 1.0)
