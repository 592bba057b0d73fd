"""Estimators of information: exact where samples have exact frequencies or covariances, near the truth elsewhere."""

from itertools import product
from typing import Any

import ennemi
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import digamma
from scipy.stats import chi2, norm

from agentic import UserError
from agentic_metrics import GaussianEstimator, Mixed, Neighbors, Plugin, Series
from agentic_metrics.sampling.boxes import inside, nearest
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.information import Estimator, interval

Array = NDArray[Any]
NATS = float(np.log(2))

# rho and -1/2 ln(1 - rho^2) in nats
CORRELATED = ((0.3, 0.047155), (0.5, 0.143841), (0.6, 0.223144), (0.8, 0.510826), (0.9, 0.830366), (0.99, 1.958518))


def raw(estimator: Estimator, *values: Array) -> float:
    return float(estimator.information(*values).local.mean())


def column(values: Any) -> Array:
    return np.asarray(values)[:, None]


def correlated(rho: float, count: int, source: np.random.Generator) -> tuple[Array, Array]:
    x, noise = source.normal(size=(2, count, 1))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


def uncorrelated(count: int, columns: int) -> Array:
    """Columns with sample covariance one: what is computed from it is the population's value."""
    values = np.random.default_rng(0).normal(size=(count, columns))
    basis = np.linalg.qr(values - values.mean(axis=0))[0]
    return np.asarray(basis * np.sqrt(count))


def frequencies(weights: dict[tuple[int, ...], int]) -> Array:
    """Each outcome as often as its weight, (n, places)."""
    return np.repeat(np.array(list(weights)), list(weights.values()), axis=0)


@pytest.fixture
def exact_psi(monkeypatch: pytest.MonkeyPatch) -> None:
    """ennemi's digamma is a series that is 1.2e-5 off at 2; with SciPy's its answers are ours."""
    monkeypatch.setattr("ennemi._entropy_estimators._psi", digamma)


# Exact


@pytest.mark.parametrize(("rho", "nats"), CORRELATED)
def test_a_gaussian_of_exact_covariance_has_the_exact_information(rho: float, nats: float) -> None:
    x, noise = uncorrelated(200, 2).T
    assert raw(GaussianEstimator(), column(x), column(rho * x + np.sqrt(1 - rho**2) * noise)) * NATS == pytest.approx(
        nats, abs=1e-6
    )


def test_conditioning_on_a_collider_raises_information() -> None:
    x, z, noise = uncorrelated(200, 3).T
    y = x + z + noise
    assert raw(GaussianEstimator(), column(x), column(y)) * NATS == pytest.approx(0.202733, abs=1e-6)
    assert raw(GaussianEstimator(), column(x), column(y), column(z)) * NATS == pytest.approx(0.346574, abs=1e-6)


@pytest.mark.parametrize(("flips", "bits"), [(0, 1.0), (1, 0.531004), (2, 0.278072)])
def test_frequencies_of_a_noisy_copy_give_its_information(flips: int, bits: float) -> None:
    """x fair, y = x with `flips` of ten flipped."""
    values = frequencies({(x, x ^ f): (flips if f else 10 - flips) for x in (0, 1) for f in (0, 1)})
    assert raw(Plugin(), values[:, :1], values[:, 1:]) == pytest.approx(bits, abs=1e-6)


def test_the_exclusive_or_is_seen_only_with_the_other_input() -> None:
    values = frequencies({(x, y, x ^ y ^ f): (1 if f else 9) for x, y, f in product((0, 1), repeat=3)})
    x, y, z = values[:, :1], values[:, 1:2], values[:, 2:]
    assert raw(Plugin(), x, z) == pytest.approx(0, abs=1e-12)
    assert raw(Plugin(), x, z, y) == pytest.approx(0.531004, abs=1e-6)
    assert raw(Plugin(), values[:, :2], z) == pytest.approx(0.531004, abs=1e-6)


def test_contributions_average_to_the_log_ratio_of_determinants() -> None:
    source = np.random.default_rng(1)
    values = source.normal(size=(60, 6)) @ source.normal(size=(6, 6))
    x, y, z = values[:, :2], values[:, 2:5], values[:, 5:]
    determinant = {
        name: np.linalg.slogdet(np.atleast_2d(np.cov(np.concatenate(parts, axis=1), rowvar=False)))[1]
        for name, parts in {"xz": (x, z), "yz": (y, z), "z": (z,), "xyz": (x, y, z)}.items()
    }
    expected = (determinant["xz"] + determinant["yz"] - determinant["z"] - determinant["xyz"]) / (2 * NATS)
    assert raw(GaussianEstimator(), x, y, z) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 4))
def test_boxes_count_as_comparing_all_pairs_does(seed: int, count: int, dimensions: int) -> None:
    source = np.random.default_rng(seed)
    points = source.normal(size=(count, dimensions)).round(1)  # with repetitions
    radius = np.abs(source.normal(size=count))
    apart = np.abs(points[:, None] - points).max(axis=2)
    np.testing.assert_array_equal(inside(points, radius), (apart < radius[:, None] * (1 - 1e-10)).sum(axis=1))
    if count > 3:
        distance, order = nearest(points, 3)
        np.testing.assert_array_equal(distance, np.sort(apart, axis=1)[:, 3])
        assert sorted(order) == list(range(count))


# Beside others, and beside the truth


@pytest.mark.usefixtures("exact_psi")
@pytest.mark.parametrize("k", [1, 4])
def test_neighbors_agree_with_ennemi(k: int) -> None:
    x, y = (each / each.std() for each in correlated(0.7, 800, np.random.default_rng(2)))
    z = 0.5 * x + np.random.default_rng(3).normal(size=(800, 2))
    z /= z.std(axis=0)
    options: Any = {"k": k, "preprocess": False}
    found = ennemi.estimate_mi(y[:, 0], x[:, 0], **options)[0, 0]
    assert raw(Neighbors(k), x, y) * NATS == pytest.approx(found, abs=1e-9)
    for width in (1, 2):
        found = ennemi.estimate_mi(y[:, 0], x[:, 0], cond=z[:, :width], **options)[0, 0]
        assert raw(Neighbors(k), x, y, z[:, :width]) * NATS == pytest.approx(found, abs=1e-9)


@pytest.mark.usefixtures("exact_psi")
def test_mixed_agrees_with_ennemi() -> None:
    source = np.random.default_rng(4)
    names = source.integers(0, 3, (600, 1))
    x = names + source.normal(size=(600, 1))
    x /= x.std()
    found = ennemi.estimate_mi(names[:, 0], x[:, 0], k=4, discrete_y=True, preprocess=False)[0, 0]
    assert raw(Mixed(), x, names) * NATS == pytest.approx(found, abs=1e-9)


@pytest.mark.slow
def test_neighbors_agree_with_infomeasure() -> None:
    infomeasure = pytest.importorskip("infomeasure")
    x, y = correlated(0.7, 800, np.random.default_rng(2))
    x, y = x / x.std(), y / y.std()
    found = infomeasure.mutual_information(x[:, 0], y[:, 0], approach="ksg", k=4)
    assert raw(Neighbors(), x, y) * NATS == pytest.approx(found, abs=1e-3)


@pytest.mark.parametrize(
    ("rho", "count", "mean", "spread"),
    [(0.0, 1000, -0.0097, 0.0189), (0.6, 1000, 0.2178, 0.0310), (0.9, 1000, 0.8336, 0.0291), (0.9, 100, 0.805, 0.073)],
)
def test_neighbors_find_what_others_found(rho: float, count: int, mean: float, spread: float) -> None:
    """Means and spreads in nats of 20 draws of another implementation, k = 3."""
    draws = [
        raw(Neighbors(3), *correlated(rho, count, np.random.default_rng([seed, count]))) * NATS for seed in range(20)
    ]
    assert abs(np.mean(draws) - mean) < 4 * spread * np.sqrt(2 / 20)


@pytest.mark.parametrize(("rho", "nats"), CORRELATED)
@pytest.mark.parametrize("estimator", [GaussianEstimator(), Neighbors(), Mixed()])
def test_intervals_and_values_are_near_the_truth(estimator: Estimator, rho: float, nats: float) -> None:
    found = estimator.information(*correlated(rho, 2000, np.random.default_rng(5)))
    around = interval(found, np.arange(2000) // 50, level=0.9999)
    assert around.low <= nats / NATS <= around.high
    assert found.value == pytest.approx(nats / NATS, abs=0.12)


def test_mixed_finds_the_information_between_a_number_and_its_noisy_sign() -> None:
    source = np.random.default_rng(6)
    seen = source.normal(size=(4000, 1))
    done = (seen + 0.5 * source.normal(size=seen.shape) > 0).astype(np.int64)

    def doubt(o: float) -> float:
        p = norm.cdf(o / 0.5)
        return float(-norm.pdf(o) * (p * np.log2(p) + (1 - p) * np.log2(1 - p)))

    truth = 1 - quad(doubt, -4, 4)[0]
    found = Mixed().information(seen, done)
    around = interval(found, np.arange(4000) // 100, level=0.9999)
    assert around.low <= truth <= around.high
    assert raw(Mixed(), done, seen) == pytest.approx(raw(Mixed(), seen, done), abs=1e-12)
    assert raw(Mixed(), seen, 7 - 5 * done) == pytest.approx(raw(Mixed(), seen, done), abs=1e-12)


def test_mixed_takes_numbers_that_repeat() -> None:
    """A clipped action: half of its values are at the bounds."""
    source = np.random.default_rng(7)
    seen = source.normal(size=(2000, 1))
    clipped = np.clip(seen, -0.5, 0.5)
    with pytest.raises(UserError, match=r"% of the values of y repeat earlier ones.*mixed"):
        Neighbors().information(source.normal(size=seen.shape), clipped)
    nothing = Mixed().information(source.normal(size=seen.shape), clipped)
    around = interval(nothing, np.arange(2000) // 50, level=0.9999)
    assert around.low <= 0 <= around.high
    assert raw(Mixed(), seen, clipped) > 2


def test_mixed_of_names_alone_is_the_plug_in_estimate() -> None:
    x, y, z = np.random.default_rng(8).integers(0, 3, (3, 300, 1))
    found, expected = Mixed().information(x, y * 1.0, z), Plugin().information(x, y, z)
    np.testing.assert_array_equal(found.local, expected.local)
    assert (found.bias, found.freedom) == (expected.bias, expected.freedom)


def test_mixed_survives_names_that_are_seen_once() -> None:
    source = np.random.default_rng(9)
    names = np.arange(40)[:, None]
    assert np.isfinite(Mixed().information(source.normal(size=(40, 1)), names).value)


# Bias and the law under independence


def test_the_bias_of_counts_is_as_predicted() -> None:
    """Binary transfer entropy with nothing in it, two degrees of freedom, in bits."""
    for count, expected, tail in ((200, 0.00716, None), (1000, 0.00147, 0.00447)):
        source = np.random.default_rng(count)
        draws = np.array([raw(Plugin(), *source.integers(0, 2, (3, count, 1))) for _ in range(3000)])
        assert abs(draws.mean() - expected) < 4 * draws.std() / np.sqrt(3000) + 2e-5
        assert draws.mean() == pytest.approx(2 / (2 * count * NATS), rel=0.06)
        if tail is not None:
            assert np.quantile(draws, 0.95) == pytest.approx(tail, rel=0.1)
            assert chi2.ppf(0.95, 2) / (2 * count * NATS) == pytest.approx(0.00433, abs=2e-5)


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_the_gaussian_estimate_has_no_bias_even_in_a_dozen_samples(rho: float) -> None:
    source = np.random.default_rng(10)
    draws = []
    for _ in range(4000):
        x, y = correlated(rho, 12, source)
        draws.append(GaussianEstimator().information(x, y, source.normal(size=(12, 1))).value)
    assert abs(np.mean(draws) + 0.5 * np.log2(1 - rho**2)) < 4 * np.std(draws) / np.sqrt(4000)


# Traps


def test_names_are_refused_by_those_who_measure_distances() -> None:
    x, y = np.random.default_rng(11).integers(0, 2, (2, 1000, 1))
    with pytest.raises(UserError, match=r"x holds names.*use the plug-in estimator"):
        Neighbors().information(x, y)
    with pytest.raises(UserError, match=r"repeat earlier ones.*plug-in"):
        Neighbors().information(x * 1.0, y * 1.0)
    with pytest.raises(UserError, match=r"x holds names.*plug-in"):
        GaussianEstimator().information(x, y)
    with pytest.raises(UserError, match="plug-in estimator counts names, and y is measured"):
        Plugin().information(x, y * 1.0)


def test_a_dependence_beyond_what_the_sample_can_show_is_reported() -> None:
    """Truth 5.410 nats; at most psi(1000) - psi(3) = 5.98 can be shown, and 4.985 was found by others."""
    found = [Neighbors(3).information(*correlated(0.99999, 1000, np.random.default_rng(seed))) for seed in range(10)]
    values = [each.value * NATS for each in found]
    assert all("the most that 1000 samples can show" in each.cautions[0].text for each in found)
    assert np.mean(values) == pytest.approx(4.985, abs=0.1)
    assert max(values) < 5.410


def test_too_little_data_is_reported() -> None:
    source = np.random.default_rng(12)
    few = source.normal(size=(20, 3))
    x, y, z = few[:, :1], few[:, 1:2], few[:, 2:]
    assert "record at least 256" in Neighbors().information(x, y, z).cautions[0].text
    assert "record at least 30" in GaussianEstimator().information(x, y, z).cautions[0].text
    tiny = Neighbors().information(x[:7], y[:7])
    assert np.isfinite(interval(tiny, np.zeros(7, np.int64)).high)
    names = source.integers(0, 5, (20, 2))
    assert "record at least" in Plugin().information(names[:, :1], names[:, 1:]).cautions[0].text
    with pytest.raises(UserError, match="needs more samples than its k = 4, got 3"):
        Neighbors().information(few[:3, :1], few[:3, 1:2])
    with pytest.raises(UserError, match="4 samples cannot tell 3 columns apart"):
        GaussianEstimator().information(x[:4], y[:4], z[:4])


@pytest.mark.parametrize("estimator", [GaussianEstimator(), Mixed()])
def test_what_never_varies_has_no_information(estimator: Estimator) -> None:
    x = np.random.default_rng(13).normal(size=(100, 1))
    found = estimator.information(x, np.full((100, 1), 0.5))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert any("never varies" in caution.text for caution in found.cautions)
    known = estimator.information(x, 2 * x + 1, x) if estimator == GaussianEstimator() else found
    assert any("never varies" in caution.text for caution in known.cautions)


def test_a_linear_function_has_infinite_gaussian_information() -> None:
    x, z = np.random.default_rng(14).normal(size=(2, 100, 1))
    with pytest.raises(UserError, match="linear function of x"):
        GaussianEstimator().information(x, x + 3 * z, z)


@pytest.mark.parametrize("settings", [{"k": 0}, {"workers": 0}])
def test_neighbors_are_counted_with_sensible_settings(settings: dict[str, int]) -> None:
    for kind in (Neighbors, Mixed):
        with pytest.raises(UserError, match="neighbors are counted with k >= 1"):
            kind(**settings)


# Choice


def test_the_estimator_suits_the_values() -> None:
    source = np.random.default_rng(15)
    names, numbers = Series.of(source.integers(0, 3, 50)), Series.of(source.normal(size=50))
    assert suited(names, names) == Plugin()
    assert suited(numbers, numbers) == Neighbors()
    assert suited(names, numbers) == Mixed()
    assert suited(numbers, Series.of(np.clip(source.normal(size=50), -0.1, 0.1))) == Mixed()
    assert named("auto") is None
    assert [named(name) for name in ("plugin", "gaussian", "neighbors", "mixed")] == [
        Plugin(),
        GaussianEstimator(),
        Neighbors(),
        Mixed(),
    ]
    with pytest.raises(UserError, match="there is no estimator 'ksg': use auto, plugin, gaussian, neighbors, mixed"):
        named("ksg")


def test_an_empty_episode_is_refused() -> None:
    with pytest.raises(UserError, match="an episode is empty: leave it out"):
        Series.of([[], [1, 2]])
