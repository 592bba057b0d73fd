"""Rounded, clipped, rescaled and shifted numbers: information does not depend on how numbers are written."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr

from agentic import UserError
from agentic_metrics import (
    ActiveInformationStorage,
    GaussianEstimator,
    Mixed,
    Neighbors,
    Plugin,
    Series,
    TransferEntropy,
)
from agentic_metrics.sampling.choice import suited
from agentic_metrics.sampling.information import Estimator, Information, interval
from agentic_metrics.sampling.series import recorded, written
from agentic_metrics.sampling.units import parted, standard

Array = NDArray[Any]
RHO = 0.6  # 0.322 bits before anything is rounded


def gaussians(count: int, rho: float, seed: int) -> tuple[Array, Array]:
    x, noise = np.random.default_rng(seed).normal(size=(2, count))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


def binned(rho: float, edges: Array) -> float:
    """The information, in bits, of which bin each of two correlated normal numbers is in; the outer ones are open."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    ends = np.concatenate([[-9.0], edges, [9.0]])
    middle, half = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    x = middle[:, None] + half[:, None] * nodes
    mass = half[:, None] * weights * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    below = ndtr((ends - rho * x[..., None]) / np.sqrt(1 - rho**2))
    joint = np.einsum("ik,ikj->ij", mass, np.diff(below, axis=-1))
    product = joint.sum(1, keepdims=True) * joint.sum(0)
    kept = joint > 0
    return float((joint[kept] * np.log2(joint[kept] / product[kept])).sum())


def rounded(step: float) -> tuple[Callable[[Array], Array], Array]:
    """Rounding to a step, off zero, and the edges of its bins."""
    return lambda x: np.round(x / step) * step + 0.13, step * (np.arange(np.ceil(-8 / step), np.ceil(8 / step)) + 0.5)


def clipped(bound: float) -> tuple[Callable[[Array], Array], Array]:
    """Clipping at a bound; what is left in between is as good as binned very finely."""
    return lambda x: np.clip(x, -bound, bound), np.linspace(-bound, bound, 400)


WRITTEN = {
    **{f"rounded to {step}": rounded(step) for step in (0.03, 0.1, 0.3, 0.5, 1.0)},
    **{f"clipped at {bound}": clipped(bound) for bound in (2.0, 1.0, 0.5)},
}


def suits(*columns: Array) -> Information:
    series = [Series.of(each) for each in columns]
    return suited(*series).information(*(each.joined() for each in series))


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("rho", [0.0, RHO])
def test_numbers_that_repeat_have_their_information(way: str, rho: float) -> None:
    write, edges = WRITTEN[way]
    found = suits(*map(write, gaussians(2000, rho, 0)))
    truth = binned(rho, edges)
    around = interval(found, np.arange(2000) // 50, level=0.9999)
    assert around.low <= truth <= around.high
    assert found.value == pytest.approx(truth, abs=0.07)


@pytest.mark.parametrize("way", ["rounded to 0.1", "clipped at 2.0"])
@pytest.mark.parametrize("rho", [0.0, RHO])
def test_intervals_of_numbers_that_repeat_cover(way: str, rho: float) -> None:
    write, edges = WRITTEN[way]
    truth, held = binned(rho, edges), 0
    for seed in range(40):
        around = interval(suits(*map(write, gaussians(400, rho, seed))), np.arange(400) // 20)
        held += around.low <= truth <= around.high
    assert held >= 35  # of 40; fewer than one in a hundred times at .95


def test_rounded_series_tell_nothing_of_each_other_or_of_themselves() -> None:
    draws = [np.round(np.random.default_rng(seed).normal(size=100), 1) for seed in range(20)]
    source = np.random.default_rng(0)
    flow = TransferEntropy(surrogates=19, lag=1).estimate(draws[:10], draws[10:], generator=source)
    kept = ActiveInformationStorage(surrogates=19).estimate(draws[:10], generator=source)
    for found in (flow, kept):
        assert found.interval is not None
        assert found.interval.low <= 0 <= found.interval.high
        assert abs(found.value) < 0.05


def test_rounding_one_of_two_numbers_is_enough_to_tie_and_changes_nothing() -> None:
    x, y = gaussians(2000, RHO, 1)
    assert suits(x.round(1), y).value == pytest.approx(suits(x, y).value, abs=0.05)


def test_given_numbers_may_be_rounded_too() -> None:
    """A common cause explains all that two numbers share."""
    z, *noise = np.random.default_rng(2).normal(size=(3, 2000, 1))
    x, y, cause = ((z + each).round(1) for each in (*noise, 0 * z))
    assert Mixed().information(x, y).value > 0.15
    assert Mixed().information(x, y, cause).value == pytest.approx(0, abs=0.05)


def test_what_is_mostly_zero_tells_when_it_is_not() -> None:
    """Only whether they are zero is shared: H(0.8) = 0.722 bits."""
    source = np.random.default_rng(3)
    still = source.random(2000) < 0.8
    x, y = (np.where(still, 0.0, each) for each in source.normal(size=(2, 2000)))
    assert suits(x, y).value == pytest.approx(0.722, abs=0.06)
    apart = np.where(source.random(2000) < 0.8, 0.0, source.normal(size=2000))
    assert suits(x, apart).value == pytest.approx(0, abs=0.03)


def test_a_place_on_a_grid_tells_the_next_one() -> None:
    """Steps of -0.1, 0 and 0.1, equally likely: H(next) - log2 3."""
    source = np.random.default_rng(4)
    place = source.normal(size=4000).round(1) + 0.03
    ahead = place + 0.1 * source.integers(-1, 2, 4000)
    where = np.unique(ahead.round(6), return_counts=True)[1] / 4000
    truth = float(-(where * np.log2(where)).sum()) - np.log2(3)
    assert suits(place, ahead).value == pytest.approx(truth, abs=0.1)


def test_a_name_and_a_rounded_number() -> None:
    seen, noise = np.random.default_rng(5).normal(size=(2, 2000))
    done = (seen + 0.5 * noise > 0).astype(np.int64)
    assert suits(seen.round(1), done).value == pytest.approx(suits(seen, done).value, abs=0.03)
    assert suits(seen.round(1), noise > 0).value == pytest.approx(0, abs=0.07)  # four times its spread


def test_single_precision_is_as_good_as_double() -> None:
    x, y = gaussians(1000, RHO, 6)
    assert suits(x.astype(np.float32), y.astype(np.float32)).value == pytest.approx(suits(x, y).value, abs=1e-3)
    coarse = suits((x + 1e6).astype(np.float32), (y + 1e6).astype(np.float32))  # rounded to 1/16
    assert coarse.value == pytest.approx(suits(x, y).value, abs=0.05)


def test_numbers_spread_out_keep_their_order() -> None:
    values = np.random.default_rng(7).normal(size=(500, 1)).round(1)
    numbers, names = parted(values, np.random.default_rng(0))
    assert not names.any()
    assert len(np.unique(numbers)) == 500
    order = np.argsort(numbers[:, 0])
    assert (np.diff(values[order, 0]) >= 0).all()
    np.testing.assert_array_equal(numbers, parted(values, np.random.default_rng(0))[0])
    still = np.random.default_rng(8).normal(size=(500, 1))
    np.testing.assert_array_equal(standard(parted(still, np.random.default_rng(0))[0]), standard(still))


# Units


@pytest.mark.parametrize("estimator", [GaussianEstimator(), Neighbors(), Mixed()])
@settings(max_examples=25, deadline=None)
@given(st.integers(-900, 900), st.integers(-900, 900), st.integers(0, 1000))
def test_powers_of_two_change_nothing(estimator: Estimator, first: int, second: int, seed: int) -> None:
    x, y = (each[:, None] for each in gaussians(60, RHO, seed))
    found = estimator.information(np.ldexp(x, first), np.ldexp(y, second))
    np.testing.assert_array_equal(found.local, estimator.information(x, y).local)


@pytest.mark.parametrize("estimator", [GaussianEstimator(), Neighbors(), Mixed()])
@settings(max_examples=25, deadline=None)
@given(st.floats(-300, 300), st.floats(-8, 8), st.booleans(), st.integers(0, 1000))
def test_units_and_offsets_change_nothing(
    estimator: Estimator, power: float, offset: float, down: bool, seed: int
) -> None:
    x, y = (each[:, None] for each in gaussians(60, RHO, seed))
    moved = (-1 if down else 1) * 10.0**power * (x + np.copysign(10.0 ** abs(offset), offset))
    # Last digits may decide which of two neighbors is nearer: of 60 samples, one or two may differ.
    assert estimator.information(moved, y).value == pytest.approx(estimator.information(x, y).value, abs=0.05)


@pytest.mark.parametrize("estimator", ["gaussian", "neighbors", "mixed", "auto"])
@pytest.mark.parametrize("scale", [1e160, 1e300, 1e-160, 1e-300, 1e-312])
def test_very_large_and_very_small_numbers(estimator: str, scale: float) -> None:
    x, noise = np.random.default_rng(9).normal(size=(2, 500))
    y = np.append(0, x[:-1]) + 0.5 * noise
    metric = TransferEntropy(lag=1, estimator=estimator, surrogates=5)
    plain, scaled = (metric.estimate(u * x, y, generator=np.random.default_rng(0)) for u in (1.0, scale))
    assert scaled.value == pytest.approx(plain.value, abs=0.02)
    assert plain.value > 1


@pytest.mark.parametrize("estimator", ["gaussian", "neighbors", "mixed", "auto"])
def test_an_offset_that_leaves_the_digits(estimator: str) -> None:
    x, y = gaussians(2000, RHO, 10)
    metric = TransferEntropy(estimator=estimator, surrogates=0)
    plain, moved = (metric.estimate(u + x, y, generator=np.random.default_rng(0)) for u in (0.0, 1e12))
    assert moved.value == pytest.approx(plain.value, abs=0.01)
    assert not moved.warnings


@pytest.mark.parametrize("estimator", [GaussianEstimator(), Mixed()])
def test_an_offset_that_leaves_hardly_any_digit_says_so(estimator: Estimator) -> None:
    x, y = (each[:, None] for each in gaussians(500, RHO, 11))
    found = estimator.information(1e15 + x, y)
    assert found.value == pytest.approx(0, abs=1e-12)
    assert "x varies only in the last digits" in found.cautions[0].text
    assert not estimator.information(np.full_like(x, 0.1), y).cautions


def test_names_may_be_numbers_of_any_size() -> None:
    bit = np.random.default_rng(12).integers(0, 2, 1000)
    later, metric = np.append(0, bit[:-1]), TransferEntropy(surrogates=0, lag=1)
    plain, large = (
        metric.estimate(each, later, generator=np.random.default_rng(0)).value
        for each in (bit, np.where(bit == 1, 1e20, 2e20))
    )
    assert large == plain > 0.9


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 1000))
def test_names_are_names(order: list[int], seed: int) -> None:
    source = np.random.default_rng(seed)
    x, number = source.integers(0, 5, (200, 1)), source.normal(size=(200, 1))
    y = (x + (source.random((200, 1)) < 0.3)) % 5
    named = np.array(order)[x]
    assert Plugin().information(named, y).value == pytest.approx(Plugin().information(x, y).value, abs=1e-12)
    assert Mixed().information(named, number, y).value == pytest.approx(
        Mixed().information(x, number, y).value, abs=1e-12
    )


# Samples of other kinds


@pytest.mark.parametrize("kind", [Neighbors, Mixed])
def test_more_neighbors_than_samples_are_refused(kind: type[Neighbors | Mixed]) -> None:
    with pytest.raises(UserError, match="needs more samples than its k = 4, got 2"):
        kind().information(np.array([[0.1], [0.2]]), np.array([[0.3], [0.5]]))


@pytest.mark.parametrize("count", [1, 2, 5, 50])
def test_constant_numbers_say_nothing(count: int) -> None:
    still = np.full((count, 1), 0.1)
    for pair in ((still, still), (still, np.arange(count)[:, None] % 2)):
        assert Mixed().information(*pair).value == 0
    if count > 4:
        assert Mixed().information(still, np.random.default_rng(0).normal(size=(count, 1))).value == pytest.approx(0)


def test_copies_of_samples_are_reported() -> None:
    """Two of every pair: what is near is the copy."""
    x, y = gaussians(500, 0.0, 13)
    for times in (2, 5):
        copied = suits(np.repeat(x, times), np.repeat(y, times))
        assert any("leave copies out" in caution.text for caution in copied.cautions)
    for fine in ((x, y), (np.repeat(x, 2), np.append(y, y)), (x.round(1), y.round(1))):
        assert not suits(*fine).cautions


def test_a_number_that_is_not_finite_is_refused_by_the_name_of_its_column() -> None:
    for wrong in (np.nan, np.inf):
        record = written(obs=[np.array([0.1, wrong, 0.3])], action=[np.array([0, 1, 0])])
        with pytest.raises(UserError, match="column obs: a series must be finite"):
            recorded(record, "obs")
