"""Dirichlet beliefs: expected entropies and gains against draws and against enumeration."""

from math import lgamma, log

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic_energies.dirichlet import expected_entropy, joint_gain, path_gain

F64 = torch.float64
COUNTS = st.lists(st.floats(0.1, 8.0), min_size=2, max_size=4)


@given(COUNTS)
@settings(derandomize=True, deadline=None, max_examples=10)
def test_the_expected_entropy_is_the_mean_over_draws(counts: list[float]) -> None:
    draws = np.random.default_rng(0).dirichlet(counts, 20_000)
    entropies = -np.where(draws > 0, draws * np.log(np.maximum(draws, 1e-300)), 0).sum(1)
    error = entropies.std() / len(draws) ** 0.5
    assert float(expected_entropy(torch.tensor(counts, dtype=F64))) == pytest.approx(entropies.mean(), abs=5 * error)


@given(st.lists(st.floats(0.1, 8.0), min_size=2, max_size=2), st.integers(1, 6))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_the_gain_of_draws_from_a_coin_is_by_the_beta_binomial(counts: list[float], draws: int) -> None:
    """I = H[sequence] - draws E[H]: a sequence with k heads has probability B(a + k, b + n - k) / B(a, b)."""
    a, b = counts
    total = 0.0
    for k in range(draws + 1):
        ways = lgamma(draws + 1) - lgamma(k + 1) - lgamma(draws - k + 1)
        one = lgamma(a + k) + lgamma(b + draws - k) - lgamma(a + b + draws) - lgamma(a) - lgamma(b) + lgamma(a + b)
        total -= float(np.exp(ways + one)) * one
    noise = draws * float(expected_entropy(torch.tensor(counts, dtype=F64)))
    assert float(joint_gain(torch.tensor(counts, dtype=F64), draws)) == pytest.approx(total - noise, abs=1e-9)


@given(COUNTS)
@settings(derandomize=True, deadline=None, max_examples=10)
def test_each_further_draw_teaches_less(counts: list[float]) -> None:
    gains = torch.stack([joint_gain(torch.tensor(counts, dtype=F64), n) for n in range(5)])
    steps = gains.diff()
    assert gains[0] == 0
    assert bool((steps > 0).all())
    assert bool((steps.diff() < 1e-12).all())
    assert float(steps[0]) < log(len(counts))


def test_a_path_adds_its_columns_and_counts_visits_once_each() -> None:
    counts = torch.tensor([[1.0, 2.0, 0.5], [1.0, 5.0, 0.5]], dtype=F64)
    states = torch.tensor([[[0, 1, 0], [2, 2, 2]]])
    expected = [joint_gain(counts[:, 0], 2) + joint_gain(counts[:, 1], 1), joint_gain(counts[:, 2], 3)]
    assert_close(path_gain(counts, states), torch.stack(expected).unsqueeze(0))
