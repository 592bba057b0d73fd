"""Processes whose stored information is known."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agentic import UserError
from agentic_metrics import (
    Machine,
    autoregressive_storage,
    entropy_rate,
    exact_storage,
    excess_entropy,
    statistical_complexity,
)
from agentic_metrics.finite.laws import conditional_information, stationary

NATS = np.log(2)


def machine(*moves: tuple[int, int, int, float]) -> Machine:
    """From (symbol, state, next state, probability)."""
    table = np.zeros((2, 2, 2))
    for symbol, state, successor, probability in moves:
        table[symbol, state, successor] = probability
    return Machine(table)


GOLDEN = machine((1, 0, 0, 0.5), (0, 0, 1, 0.5), (1, 1, 0, 1.0))
EVEN = machine((0, 0, 0, 0.5), (1, 0, 1, 0.5), (1, 1, 0, 1.0))


def test_the_golden_mean_process() -> None:
    assert entropy_rate(GOLDEN) == pytest.approx(2 / 3)
    assert excess_entropy(GOLDEN) == pytest.approx(0.251629, abs=1e-6)
    assert statistical_complexity(GOLDEN) == pytest.approx(0.918296, abs=1e-6)
    assert exact_storage(GOLDEN) == pytest.approx(excess_entropy(GOLDEN))


def test_the_even_process_stores_more_than_any_finite_past_shows() -> None:
    assert entropy_rate(EVEN) == pytest.approx(2 / 3)
    assert excess_entropy(EVEN) == pytest.approx(0.918296, abs=1e-6)
    assert statistical_complexity(EVEN) == pytest.approx(0.918296, abs=1e-6)
    stored = [exact_storage(EVEN, history=k) for k in (1, 2, 4, 8, 16)]
    assert (np.diff(stored) > 0).all()
    assert stored[-1] < excess_entropy(EVEN)


@pytest.mark.parametrize("period", [1, 2, 3, 5, 8])
def test_a_cycle_stores_its_phase(period: int) -> None:
    cycle = Machine.of_chain(np.roll(np.eye(period), 1, axis=1))
    assert entropy_rate(cycle) == 0
    assert excess_entropy(cycle) == pytest.approx(np.log2(period))


@pytest.mark.parametrize(("flips", "bits"), [(0.05, 0.713603), (0.1, 0.531004), (0.25, 0.188722)])
def test_a_flip_chain(flips: float, bits: float) -> None:
    chain = Machine.of_chain([[1 - flips, flips], [flips, 1 - flips]])
    assert exact_storage(chain) == pytest.approx(bits, abs=1e-6)
    assert excess_entropy(chain) == pytest.approx(bits, abs=1e-6)


@pytest.mark.parametrize(("coefficient", "nats"), [(0.5, 0.143841), (0.9, 0.830366), (0.95, 1.163951)])
def test_an_autoregressive_process(coefficient: float, nats: float) -> None:
    assert autoregressive_storage(coefficient) * NATS == pytest.approx(nats, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_longer_pasts_store_more_and_a_chain_is_known_after_one_step(seed: int, states: int) -> None:
    chain = Machine.of_chain(np.random.default_rng(seed).dirichlet(np.ones(states), states))
    stored = [exact_storage(chain, history=k) for k in (1, 2, 3)]
    assert stored == pytest.approx([stored[0]] * 3, abs=1e-9)
    assert -1e-12 <= stored[0] <= np.log2(states)
    assert excess_entropy(chain) == pytest.approx(stored[0], abs=1e-9)


def test_a_stationary_law_of_a_periodic_chain_and_of_one_that_leaves_states() -> None:
    assert stationary([[0.0, 1.0], [1.0, 0.0]]) == pytest.approx([0.5, 0.5])
    assert stationary([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]) == pytest.approx([0.0, 0.5, 0.5])


def test_information_of_a_table_with_tiny_probabilities_is_finite() -> None:
    tiny = np.array([[1e-200, 0.5], [1e-250, 0.5]])
    assert conditional_information(tiny[..., None]) == pytest.approx(0.0, abs=1e-12)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UserError, match="2 parts it never leaves"):
        Machine.of_chain(np.eye(2))
    with pytest.raises(UserError, match="not unifilar"):
        excess_entropy(Machine(np.array([[[0.25, 0.25], [0.25, 0.25]]] * 2)))
    with pytest.raises(UserError, match="array"):
        Machine(np.eye(2))
    with pytest.raises(UserError, match="history must be at least 1"):
        exact_storage(GOLDEN, history=0)
    with pytest.raises(UserError, match="within"):
        autoregressive_storage(1.0)
