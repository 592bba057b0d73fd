"""The interquartile mean beside scipy's, and resamples of seeds with one value or several."""

import numpy as np
import pytest
from scipy.stats import trim_mean

from agentic.metrics import expanded, interquartile_mean, resampled


@pytest.mark.parametrize("count", [4, 5, 7, 8, 30])
def test_the_interquartile_mean_is_that_of_scipy(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    assert interquartile_mean(values) == pytest.approx(trim_mean(values, 0.25), abs=1e-15)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_fewer_than_four_values_have_no_quarters(count: int) -> None:
    assert np.isnan(interquartile_mean(np.ones(count)))


def test_whole_seeds_are_drawn() -> None:
    samples = [np.full(4, float(seed)) for seed in range(6)]
    found = resampled(samples, np.random.default_rng(0))
    assert found.shape == (2000,)
    assert found.mean() == pytest.approx(2.5, abs=0.1)
    uneven = [np.full(4 if seed else 5, float(seed)) for seed in range(6)]
    slow = resampled(uneven, np.random.default_rng(0))
    assert np.abs(slow - found).mean() < 0.2, "the same seeds are drawn, however many values they have"


def test_ends_are_moved_out_for_few_seeds() -> None:
    found = np.linspace(0, 1, 10_001)
    few, many = expanded(found, 5), expanded(found, 10_000)
    assert many == pytest.approx((0.025, 0.975), abs=1e-3)
    assert few[0] < many[0]
    assert few[1] > many[1]
    assert few[0] == pytest.approx(1 - few[1])
