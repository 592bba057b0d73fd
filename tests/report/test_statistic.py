"""What seeds tell: the intervals of scipy, and what too few seeds do not tell."""

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from scipy.stats import t, ttest_ind, ttest_rel

from agentic_report.statistic import InterquartileMean, Mean

SAMPLES = st.lists(st.floats(-1e3, 1e3).map(lambda x: round(x, 3)), min_size=2, max_size=12)


@given(SAMPLES, SAMPLES)
def test_a_difference_of_independent_seeds_is_welchs(first: list[float], other: list[float]) -> None:
    one, two = np.array(first), np.array(other)
    assume(one.std() > 1e-2 and two.std() > 1e-2)
    known = ttest_ind(two, one, equal_var=False)
    ends = known.confidence_interval(0.95)
    found = Mean().difference(one, two, paired=False)
    assert found.estimate.interval is not None
    assert found.p_value == pytest.approx(known.pvalue, rel=1e-6, abs=1e-12)
    assert found.estimate.ends == pytest.approx((ends.low, ends.high), rel=1e-6, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=12))
def test_a_difference_seed_by_seed_is_students_of_the_differences(pairs: list[tuple[float, float]]) -> None:
    one, two = np.array(pairs).T
    assume((two - one).std() > 1e-2)
    known = ttest_rel(two, one)
    ends = known.confidence_interval(0.95)
    found = Mean().difference(one, two, paired=True)
    assert found.p_value == pytest.approx(known.pvalue, rel=1e-6, abs=1e-12)
    assert found.estimate.ends == pytest.approx((ends.low, ends.high), rel=1e-6, abs=1e-6)


def test_one_group_without_spread_leaves_the_spread_of_the_other() -> None:
    one, two = np.full(4, 3.0), np.array([1.0, 2.0, 6.0])
    found = Mean().difference(one, two, paired=False)
    reach = t.ppf(0.975, 2) * two.std(ddof=1) / np.sqrt(3)
    assert found.estimate.ends == pytest.approx((two.mean() - 3 - reach, two.mean() - 3 + reach))


def test_an_estimate_is_students() -> None:
    values = np.array([1.0, 2.0, 6.0])
    reach = t.ppf(0.975, 2) * values.std(ddof=1) / np.sqrt(3)
    assert Mean().estimate(values).ends == pytest.approx((3 - reach, 3 + reach))


def test_a_single_seed_has_no_interval_and_no_difference_has_one_from_it() -> None:
    one, two = np.array([1.0]), np.array([2.0, 3.0])
    assert Mean().estimate(one).interval is None
    found = Mean().difference(one, two, paired=False)
    assert (found.estimate.value, found.estimate.interval, found.p_value) == (1.5, None, None)
    alone = Mean().difference(one, one + 1, paired=True)
    assert (alone.estimate.value, alone.estimate.interval, alone.p_value) == (1.0, None, None)


@pytest.mark.parametrize("paired", [True, False])
def test_without_any_spread_there_is_no_p_value(paired: bool) -> None:
    found = Mean().difference(np.zeros(5), np.ones(5), paired=paired)
    assert (found.estimate.value, found.estimate.ends, found.p_value) == (1.0, (1.0, 1.0), None)


def test_values_that_are_not_finite_have_no_interval() -> None:
    values = np.array([1.0, np.inf, 3.0])
    assert Mean().estimate(values).interval is None
    assert Mean().difference(np.ones(3), values, paired=False).estimate.interval is None
    assert InterquartileMean().estimate(np.array([np.inf] * 6)).interval is None


def test_interquartile_means_differ_by_their_bootstrap() -> None:
    source = np.random.default_rng(0)
    one, two = source.normal(size=20), source.normal(size=20) + 2
    found = InterquartileMean().difference(one, two, paired=False)
    low, high = found.estimate.ends
    assert low is not None
    assert high is not None
    assert 0 < low < found.estimate.value < high < 4
    assert found.p_value is None
    assert found == InterquartileMean().difference(one, two, paired=False), "always the same resamples"
    shifted = InterquartileMean().difference(one, one + 2, paired=True)
    assert shifted.estimate.ends == pytest.approx((2, 2)), "the same seeds are drawn in both"


@pytest.mark.parametrize(("count", "value", "interval"), [(3, False, False), (4, True, False), (5, True, True)])
def test_an_interquartile_mean_takes_four_seeds_and_its_interval_five(count: int, value: bool, interval: bool) -> None:
    found = InterquartileMean().estimate(np.arange(count) * 1.0)
    assert (bool(np.isfinite(found.value)), found.interval is not None) == (value, interval)


@pytest.mark.parametrize("paired", [True, False])
def test_rounding_errors_of_sums_are_no_spread(paired: bool) -> None:
    values = np.full(3, 0.1)  # whose mean in floats is another number
    assert values.std(ddof=1) > 0
    found = Mean().difference(values, np.full(3, 0.3) - paired * 1e-16 * np.arange(3), paired=paired)
    assert found.p_value is None
    assert found.estimate.value == pytest.approx(0.2)
    shifted = Mean().difference(np.array([0.3, 1.3, 2.3]), np.array([0.4, 1.4, 2.4]), paired=True)
    assert shifted.p_value is None
