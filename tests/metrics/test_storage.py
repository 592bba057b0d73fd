"""What a series repeats of itself, from samples."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agentic import Access, Subject, UserError, measure
from agentic.testing.metrics import subject
from agentic_metrics import (
    ActiveInformationStorage,
    Estimate,
    GaussianEstimator,
    Machine,
    PredictiveInformation,
    autoregressive_storage,
    exact_storage,
)


def flips(p: float, episodes: int, steps: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Two states that change with probability p, from a random one."""
    changes = np.cumsum(generator.random((episodes, steps)) < p, axis=1)
    return list((changes + generator.integers(2, size=(episodes, 1))) % 2)


def autoregressive(coefficient: float, episodes: int, steps: int, generator: np.random.Generator) -> list[np.ndarray]:
    """y' = coefficient y + N(0, 1), stationary."""
    noise, found = generator.normal(size=(steps, episodes)), np.empty((steps, episodes))
    found[0] = noise[0] / np.sqrt(1 - coefficient**2)
    for t in range(1, steps):
        found[t] = coefficient * found[t - 1] + noise[t]
    return list(found.T)


def within(found: Estimate, truth: float) -> bool:
    return found.interval is not None and found.interval.low <= truth <= found.interval.high


@pytest.mark.parametrize("p", [0.05, 0.1, 0.25])
def test_a_flip_chain_from_samples(p: float) -> None:
    generator = np.random.default_rng(0)
    found = ActiveInformationStorage().estimate(flips(p, 40, 50, generator), generator=generator)
    truth = exact_storage(Machine.of_chain([[1 - p, p], [p, 1 - p]]))
    assert found.estimator == "plugin"
    assert within(found, truth)
    assert found.null is not None
    assert found.null.p_value < 0.01
    assert (found.episodes, found.samples) == (40, 40 * 49)


@pytest.mark.parametrize(("estimator", "name"), [("gaussian", "gaussian"), ("auto", "neighbors")])
def test_an_autoregressive_process_from_samples(estimator: str, name: str) -> None:
    generator = np.random.default_rng(1)
    series = autoregressive(0.9, 20, 100, generator)
    found = ActiveInformationStorage(estimator=estimator, surrogates=20).estimate(series, generator=generator)
    assert found.estimator == name
    assert found.value == pytest.approx(autoregressive_storage(0.9), abs=0.2)
    assert within(found, autoregressive_storage(0.9))
    assert found.null is not None
    assert found.null.p_value < 0.05


@pytest.mark.parametrize("period", [2, 3, 5])
def test_a_cycle_holds_its_phase(period: int) -> None:
    generator = np.random.default_rng(2)
    series = [(np.arange(60) + generator.integers(period)) % period for _ in range(20)]
    found = ActiveInformationStorage().estimate(series, generator=generator)
    assert found.value == pytest.approx(np.log2(period), abs=0.02)
    assert found.null is not None
    assert found.null.p_value < 0.01


def test_the_even_process_needs_a_longer_past() -> None:
    generator, moves = np.random.default_rng(3), np.zeros((2, 2, 2))
    moves[0, 0, 0] = moves[1, 0, 1] = 0.5
    moves[1, 1, 0] = 1
    series = []
    for _ in range(40):
        state, symbols = int(generator.random() < 1 / 3), []
        for _ in range(100):
            symbol = 1 if state else int(generator.integers(2))
            state = int(symbol == 1 and state == 0)
            symbols.append(symbol)
        series.append(np.array(symbols))
    for history in (1, 3, 5):
        found = ActiveInformationStorage(history=history, surrogates=0).estimate(series, generator=generator)
        assert within(found, exact_storage(Machine(moves), history=history))
    longer = PredictiveInformation(past_steps=4, future_steps=2, surrogates=0).estimate(series, generator=generator)
    assert longer.value > found.value


def test_a_rock_and_a_coin_store_nothing() -> None:
    generator = np.random.default_rng(4)
    rock = ActiveInformationStorage().estimate([np.zeros(50, int)] * 10, generator=generator)
    coin = ActiveInformationStorage().estimate(generator.integers(2, size=(10, 50)).tolist(), generator=generator)
    for found in (rock, coin):
        assert found.null is not None
        assert found.null.p_value >= 0.05
    assert rock.value == 0
    assert any("never varies" in warning for warning in rock.warnings)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_names_do_not_matter_nor_the_order_of_episodes(seed: int) -> None:
    generator = np.random.default_rng(seed)
    series, names = [generator.integers(3, size=30) for _ in range(4)], generator.permutation(3) * 7 - 5
    one, other = (
        ActiveInformationStorage(surrogates=0).estimate(each, generator=generator)
        for each in (series, [names[episode] for episode in reversed(series)])
    )
    assert one.value == pytest.approx(other.value, abs=1e-12)
    assert one.interval is not None
    assert other.interval is not None
    assert one.interval.low == pytest.approx(other.interval.low, abs=1e-12)


def test_one_future_step_is_active_storage() -> None:
    series = flips(0.1, 5, 40, np.random.default_rng(5))
    one = ActiveInformationStorage(history=2).estimate(series, generator=np.random.default_rng(0))
    other = PredictiveInformation(past_steps=2, future_steps=1).estimate(series, generator=np.random.default_rng(0))
    assert one == other


def test_without_surrogates_the_null_is_a_law() -> None:
    generator = np.random.default_rng(6)
    found = ActiveInformationStorage(surrogates=0).estimate(generator.integers(2, size=500), generator=generator)
    assert found.null is not None
    assert "chi-square" in found.null.kind
    numbers = ActiveInformationStorage(surrogates=0).estimate(generator.normal(size=200), generator=generator)
    assert numbers.null is None


def test_whole_numbers_have_no_neighbors() -> None:
    generator = np.random.default_rng(7)
    with pytest.raises(UserError, match="names"):
        ActiveInformationStorage(estimator="neighbors").estimate(generator.integers(2, size=500), generator=generator)


def test_too_little_data_says_how_much_is_needed() -> None:
    generator = np.random.default_rng(8)
    found = ActiveInformationStorage(history=2).estimate(generator.integers(6, size=60), generator=generator)
    assert any("record at least" in warning for warning in found.warnings)


def test_episodes_that_are_too_short_are_refused() -> None:
    with pytest.raises(UserError, match="at least 4 steps"):
        ActiveInformationStorage(history=3).estimate([[1, 0, 1]] * 5, generator=np.random.default_rng(0))


def test_the_metrics_read_any_column() -> None:
    coin: Subject = subject()
    stored = measure(ActiveInformationStorage(), coin)
    assert (stored.unit, stored.access, stored.outside_null) == ("bits", Access.RECORDS, False)
    places = measure(ActiveInformationStorage(column="obs+action", history=2), coin)
    assert places.frame.variables == ("obs+action",)
    assert measure(PredictiveInformation(surrogates=0), coin).null is not None
    assert ActiveInformationStorage(column="belief.mean").access is Access.INTERNALS
    with pytest.raises(UserError, match="no column"):
        measure(ActiveInformationStorage(column="mood"), coin)
    with pytest.raises(UserError, match="history >= 1"):
        ActiveInformationStorage(history=0)
    with pytest.raises(UserError, match="future_steps >= 1"):
        PredictiveInformation(future_steps=0)


def test_a_gaussian_estimate_is_that_of_all_episodes_less_what_the_jackknife_finds() -> None:
    series = autoregressive(0.9, 4, 40, np.random.default_rng(3))

    def raw(kept: list[np.ndarray]) -> float:
        x, y = (np.concatenate([each[part] for each in kept])[:, None] for part in (slice(-1), slice(1, None)))
        return float(GaussianEstimator().information(x, y).value)

    found = ActiveInformationStorage(estimator="gaussian", surrogates=0).estimate(
        series, generator=np.random.default_rng(0)
    )
    without = [raw(series[:i] + series[i + 1 :]) for i in range(4)]
    assert found.value == pytest.approx(4 * raw(series) - 3 * np.mean(without))
    assert found.interval is not None
    assert found.interval.method == "jackknife over 4 parts of the episodes"
    assert found.interval.high - found.value == pytest.approx(found.value - found.interval.low)


def test_where_only_one_episode_has_noise_there_is_no_jackknife() -> None:
    straight = np.arange(1.0, 41.0)
    noisy = autoregressive(0.5, 1, 40, np.random.default_rng(3))[0]
    found = ActiveInformationStorage(estimator="gaussian", surrogates=0).estimate(
        [straight, noisy], generator=np.random.default_rng(0)
    )
    assert found.interval is not None
    assert found.interval.method.startswith("Student t")
