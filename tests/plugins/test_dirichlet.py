"""Dirichlet beliefs: expected entropies and gains against draws and against enumeration."""

from collections.abc import Callable
from math import lgamma, log

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import UserError
from agentic_energies.dirichlet import (
    divergence,
    expected_entropy,
    impossibility,
    information,
    joint_gain,
    log_beta,
    novelty,
    path_gain,
    reduction,
)

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


class TestPublishedNumbers:
    def test_novelty_weights(self) -> None:
        counts = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=F64)
        expected = torch.tensor([[-0.302961, -0.148612], [-0.037682, -0.038798]], dtype=F64)
        assert_close(novelty(counts), expected, atol=1e-6, rtol=0)
        assert_close(-(counts / counts.sum(0) * novelty(counts)).sum(0), information(counts))

    @pytest.mark.parametrize(("place", "lost"), [(4, -0.38941177), (5, -0.61402491), (6, 1.21603121)])
    def test_model_reduction(self, place: int, lost: float) -> None:
        counts = [0.83311598, 0.76478446, 0.10399115, 0.02863955, 0.77538092, 0.97065156, 0.15569694, 0.5700265]
        prior, reduced = torch.ones(8, dtype=F64), torch.ones(8, dtype=F64)
        reduced[place] = 2
        assert float(reduction(torch.tensor(counts, dtype=F64), prior, reduced)) == pytest.approx(lost, abs=1e-7)

    def test_model_reduction_of_a_coin(self) -> None:
        one, other, reduced = (torch.tensor(each, dtype=F64) for each in ([2.0, 3.0], [1.0, 1.0], [1.0, 8.0]))
        assert float(reduction(one, other, reduced)) == pytest.approx(0.136132, abs=1e-6)


class TestStructuralZeros:
    whole = torch.tensor([[2.0], [3.0]], dtype=F64)
    more = torch.tensor([[2.0], [0.0], [3.0]], dtype=F64)

    @pytest.mark.parametrize("of", [information, expected_entropy, log_beta])
    def test_they_are_as_if_not_there(self, of: Callable[[Tensor], Tensor]) -> None:
        assert_close(of(self.more), of(self.whole))

    def test_so_they_are_between_two(self) -> None:
        step, other = torch.tensor([[1.0], [0.0], [0.5]]), torch.tensor([[1.0], [0.5]])
        assert_close(divergence(self.more + step, self.more), divergence(self.whole + other, self.whole))
        assert_close(divergence(self.more + 1, self.more), divergence(self.whole + 1, self.whole))
        assert novelty(self.more)[1] == 0

    def test_a_prior_that_forbids_what_was_counted_has_no_evidence(self) -> None:
        prior = torch.ones(3, 2, dtype=F64)
        counts, reduced = prior.clone(), prior.clone()
        counts[0, 0] += 1
        reduced[0] = 0
        lost = reduction(counts, prior, reduced)
        assert lost.isinf().tolist() == [True, False]
        assert lost[1] == pytest.approx(0.0)  # nothing was counted there: nothing speaks for either

    def test_a_reduced_prior_allows_no_more(self) -> None:
        with pytest.raises(UserError, match="allows no more values than the prior"):
            reduction(self.more, self.more, self.more + 1)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_model_reduction_is_the_difference_of_log_evidence(seen: list[int]) -> None:
    """By the chain rule: the evidence of a sequence is a product of predictive probabilities."""
    draws = np.random.default_rng(len(seen) + sum(seen))
    prior, reduced = (torch.tensor(draws.uniform(0.3, 3, len(seen)), dtype=F64) for _ in range(2))
    lost, urns = 0.0, [prior.clone(), reduced.clone()]
    for outcome, times in enumerate(seen):
        for _ in range(times):
            lost += float((urns[0][outcome] / urns[0].sum()).log() - (urns[1][outcome] / urns[1].sum()).log())
            for urn in urns:
                urn[outcome] += 1
    assert float(reduction(urns[0], prior, reduced)) == pytest.approx(lost, abs=1e-9)


class TestImpossibility:
    @pytest.mark.parametrize(("size", "draws"), [(2, 19), (4, 57), (9, 3)])
    def test_by_hand(self, size: int, draws: int) -> None:
        """Of ones, a value is missed with the probability (size - 1) / (size - 1 + draws)."""
        prior = torch.ones(size, dtype=F64)
        counts = prior + draws * torch.eye(size, dtype=F64)[0]
        found = impossibility(counts, prior)
        assert_close(found[1:], torch.full((size - 1,), log(1 + draws / (size - 1)), dtype=F64))
        assert found[0] == 0  # nothing but itself was drawn

    @given(st.lists(st.integers(0, 4), min_size=2, max_size=5))
    @settings(derandomize=True, deadline=None, max_examples=20)
    def test_it_is_the_reduction_to_a_prior_without_the_value(self, seen: list[int]) -> None:
        prior = torch.tensor(np.random.default_rng(len(seen)).uniform(0.3, 3, (len(seen), 1)), dtype=F64)
        counts = prior + torch.tensor(seen, dtype=F64).unsqueeze(-1)
        for value, found in enumerate(impossibility(counts, prior)):
            reduced, unmet = prior.clone(), counts.clone()
            reduced[value], unmet[value] = 0, prior[value]
            assert_close(found, -reduction(unmet, prior, reduced))

    def test_nothing_speaks_for_what_is_so_already_or_against_all_there_is(self) -> None:
        prior = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]], dtype=F64)
        assert_close(impossibility(prior + 3 * (prior > 0), prior)[1], torch.tensor([0.0, -torch.inf], dtype=F64))
