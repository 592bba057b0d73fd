"""Bayesian regression, sample by sample, against the same in one go."""

from math import inf

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic_energies.regression import Regression

F64 = torch.float64
SEEDS = st.integers(0, 10_000)


def data(seed: int, samples: int = 12) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, 3, generator=draws, dtype=F64)
    return x, torch.randn(samples, 2, generator=draws, dtype=F64) + x @ torch.ones(3, 2, dtype=F64)


def prior(shape: float = inf) -> Regression:
    mean = torch.arange(6, dtype=F64).reshape(3, 2) / 3
    return Regression(mean, torch.diag(torch.tensor([1.0, 2.0, 0.5])), torch.tensor([0.4, 0.9], dtype=F64), shape)


def after(regression: Regression, x: Tensor, y: Tensor) -> Regression:
    for row, target in zip(x, y, strict=True):
        regression.observe(row, target)
    return regression


@given(SEEDS)
@settings(derandomize=True, deadline=None, max_examples=15)
def test_it_is_least_squares_with_the_priors_pull(seed: int) -> None:
    (x, y), start = data(seed), prior()
    precision = start.precision + x.T @ x
    mean = torch.linalg.solve(precision, start.precision @ start.mean + x.T @ y)
    got = after(prior(), x, y)
    assert_close(got.precision, precision)
    assert_close(got.mean, mean)


@given(SEEDS)
@settings(derandomize=True, deadline=None, max_examples=15)
def test_noise_is_learned_from_what_is_left(seed: int) -> None:
    """InverseGamma(shape + n / 2, rate + (residuals and the pull of the prior) / 2)."""
    (x, y), start = data(seed), prior(1.5)
    got = after(prior(1.5), x, y)
    left = ((y - x @ got.mean) ** 2).sum(0)
    gap = got.mean - start.mean
    pull = (gap * (start.precision @ gap)).sum(0)
    assert float(got.shape) == 1.5 + len(x) / 2
    assert_close(got.rate, start.rate + 0.5 * (left + pull))
    assert_close(got.noise, got.rate / (got.shape + 1))


@given(SEEDS)
@settings(derandomize=True, deadline=None, max_examples=10)
def test_the_order_of_samples_does_not_matter(seed: int) -> None:
    x, y = data(seed)
    one, other = after(prior(2.0), x, y), after(prior(2.0), x.flip(0), y.flip(0))
    assert_close(one.mean, other.mean)
    assert_close(one.rate, other.rate)


def test_known_noise_stays() -> None:
    got = after(prior(), *data(0))
    assert got.known_noise
    assert got.noise.tolist() == [0.4, 0.9]


def test_the_error_is_the_one_made_before() -> None:
    x, y = data(1)
    assert_close(prior().observe(x[0], y[0]), y[0] - x[0] @ prior().mean)


@pytest.mark.parametrize("shape", [inf, 2.0])
@given(SEEDS)
@settings(derandomize=True, deadline=None, max_examples=10)
def test_gains_add_up_whichever_way_looks_are_grouped(shape: float, seed: int) -> None:
    """With known noise what is seen does not change how much the next look is worth: gains chain exactly."""
    x, y = data(seed, 4)
    both = prior(shape).gain(x)
    assert float(both) > float(prior(shape).gain(x[:2])) > 0
    if shape == inf:
        later = after(prior(), x[:2], y[:2]).gain(x[2:])
        assert_close(prior().gain(x[:2]) + later, both)


@given(SEEDS)
@settings(derandomize=True, deadline=None, max_examples=10)
def test_the_gain_about_known_noise_is_the_fall_of_entropy(seed: int) -> None:
    x, y = data(seed, 5)
    fall = 0.5 * (torch.logdet(after(prior(), x, y).precision) - torch.logdet(prior().precision))
    assert_close(prior().gain(x), 2 * fall)


def test_the_divergence_of_two_beliefs_is_that_of_gaussians() -> None:
    one, other = after(prior(), *data(2)), prior()
    total = torch.zeros((), dtype=F64)
    for j in range(2):
        p, q = (
            torch.distributions.MultivariateNormal(each.mean[:, j], torch.linalg.inv(each.precision) * each.noise[j])
            for each in (one, other)
        )
        total = total + torch.distributions.kl_divergence(p, q)
    assert_close(one.divergence(other), total)
    assert float(one.divergence(one)) == pytest.approx(0, abs=1e-12)
