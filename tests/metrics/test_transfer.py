"""Transfer entropy: exact for known processes, near it for samples of them, and its traps."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from agentic import Access, UserError, measure
from agentic.testing.metrics import subject
from agentic_metrics import (
    Neighbors,
    Plugin,
    TransferEntropy,
    gaussian_transfer_entropy,
)

Array = NDArray[Any]
NATS = float(np.log(2))

# a, b, c, sx, sy of x' = a x + ex, y' = b y + c x + ey; nats and bits with one step of history and with all of it
LINEAR = (
    (0.0, 0.3, 1.0, 1.0, 1.0, 0.346574, 0.5, 0.346574, 0.5),
    (0.5, 0.5, 0.5, 1.0, 1.0, 0.134832, 0.194521, 0.134638, 0.194242),
    (0.9, 0.5, 0.4, 1.0, 1.0, 0.168178, 0.242630, 0.162952, 0.235089),
    (0.8, 0.0, 0.6, 1.0, 0.5, 0.541241, 0.780846, 0.524694, 0.756973),
    (0.7, 0.3, 0.5, 1.0, 1.0, 0.165420, 0.238651, 0.163436, 0.235788),
)


def entropy(p: float) -> float:
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p) if 0 < p < 1 else 0.0


def matrices(a: float, b: float, c: float, sx: float, sy: float) -> tuple[list[list[float]], Array]:
    return [[a, 0.0], [c, b]], np.diag([sx**2, sy**2])


def linear(source: np.random.Generator, episodes: int, length: int, row: int = 1) -> tuple[list[Array], list[Array]]:
    a, b, c, sx, sy = LINEAR[row][:5]
    noise = source.normal(size=(episodes, length + 60, 2)) * [sx, sy]
    x = lfilter([1], [1, -a], noise[..., 0], axis=1)
    driven = noise[..., 1].copy()
    driven[:, 1:] += c * x[:, :-1]
    return list(x[:, 60:]), list(lfilter([1], [1, -b], driven, axis=1)[:, 60:])


def noisy_copy(source: np.random.Generator, x: Array, flips: float) -> Array:
    """y_{t+1} = x_t, flipped now and then."""
    y = source.integers(0, 2, x.shape)
    y[:, 1:] = x[:, :-1] ^ (source.random(x[:, 1:].shape) < flips)
    return y


def found(source: Array, target: Array, given: Any = (), **options: Any) -> Any:
    metric = TransferEntropy(**{"lag": 1, "surrogates": 0, **options})
    return metric.estimate(list(source), list(target), given, generator=np.random.default_rng(99))


# Exact, from the process


@pytest.mark.parametrize("row", LINEAR)
def test_the_exact_transfer_of_linear_processes(row: tuple[float, ...]) -> None:
    a, q = matrices(*row[:5])
    for history, nats, bits in ((1, *row[5:7]), (None, *row[7:])):
        value = gaussian_transfer_entropy(a, q, source=[0], target=[1], history=history)
        assert value == pytest.approx(bits, abs=1e-6)
        assert value * NATS == pytest.approx(nats, abs=1e-6)
        assert gaussian_transfer_entropy(a, q, source=[1], target=[0], history=history) == pytest.approx(0, abs=1e-9)


def test_the_exact_transfer_both_ways() -> None:
    a = [[0.5, 0.2], [0.4, 0.3]]
    assert gaussian_transfer_entropy(a, np.eye(2), source=[0], target=[1]) * NATS == pytest.approx(0.099291, abs=1e-6)
    assert gaussian_transfer_entropy(a, np.eye(2), source=[1], target=[0]) * NATS == pytest.approx(0.026003, abs=1e-6)


def test_long_histories_approach_the_infinite_one() -> None:
    a, q = matrices(*LINEAR[2][:5])
    values = [gaussian_transfer_entropy(a, q, source=[0], target=[1], history=k, source_history=k) for k in (1, 3, 30)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(gaussian_transfer_entropy(a, q, source=[0], target=[1], history=None), abs=1e-9)


def test_a_common_cause_transfers_nothing_once_it_is_given() -> None:
    """z drives both x and y; the last x shows what z was."""
    a = [[0.0, 0.0, 0.9], [0.0, 0.0, 0.9], [0.0, 0.0, 0.6]]
    assert gaussian_transfer_entropy(a, np.eye(3), source=[0], target=[1]) > 0.02
    assert gaussian_transfer_entropy(a, np.eye(3), source=[0], target=[1], given=[2]) == pytest.approx(0, abs=1e-9)
    assert gaussian_transfer_entropy(a, np.eye(3), source=[0], target=[1], given=[2], history=None) == pytest.approx(
        0, abs=1e-9
    )


def test_a_process_without_stationary_law_is_refused() -> None:
    with pytest.raises(UserError, match="no stationary law"):
        gaussian_transfer_entropy(np.eye(2), np.eye(2), source=[0], target=[1])
    with pytest.raises(UserError, match="square and of one shape"):
        gaussian_transfer_entropy(np.eye(2), np.eye(3), source=[0], target=[1])


# Near the truth, from samples

BINARY = (
    # share of ones in the source, its flip rate or None if it has no memory, flips of the copy, bits
    (0.5, None, 0.0, 1.0),
    (0.5, None, 0.1, 0.531004),
    (0.5, None, 0.2, 0.278072),
    (0.2, None, 0.0, 0.721928),
    (0.5, 0.1, 0.0, 0.468996),
    (0.5, 0.1, 0.1, 0.332634),
    (0.5, 0.3, 0.1, 0.483200),
)


@pytest.mark.parametrize(("ones", "turns", "flips", "bits"), BINARY)
def test_copy_channels(ones: float, turns: float | None, flips: float, bits: float) -> None:
    source = np.random.default_rng(0)
    x = (source.random((100, 400)) < ones).astype(np.int64)
    if turns is not None:
        x = (source.integers(0, 2, (100, 1)) + np.cumsum(source.random((100, 400)) < turns, axis=1)) % 2
    y = noisy_copy(source, x, flips)
    forth = found(x, y, level=0.9999)
    assert forth.interval.low - 1e-3 <= bits <= forth.interval.high + 1e-3
    assert forth.value == pytest.approx(bits, abs=0.02)
    assert abs(found(y, x).value) < 1e-3


@pytest.mark.parametrize(("turns", "flips", "bits"), [(0.1, 0.0, 0.468996), (0.1, 0.1, 0.332634), (0.3, 0.1, 0.4832)])
def test_sticky_sources_exactly(turns: float, flips: float, bits: float) -> None:
    """From the stationary law of (y, x, y') as frequencies, of which the plug-in estimate is exact."""
    rows, weights = [], []
    for before, x, turned, flipped, wrong in np.ndindex(2, 2, 2, 2, 2):
        if x == (before + turned) % 2:  # x_{t-1} = before, y_t = before ^ wrong, y_{t+1} = x ^ flipped
            rows.append([before ^ wrong, x, x ^ flipped])
            chance = [(1 - p, p)[bit] for p, bit in ((turns, turned), (flips, flipped), (flips, wrong))]
            weights.append(round(1000 * float(np.prod(chance))))
    samples = np.repeat(np.array(rows), weights, axis=0)
    y, x_now, after = (samples[:, [place]] for place in range(3))
    assert Plugin().information(x_now, after, y).local.mean() == pytest.approx(bits, abs=1e-6)


@pytest.mark.parametrize("row", range(5))
@pytest.mark.parametrize("estimator", ["gaussian", "neighbors"])
def test_linear_processes(row: int, estimator: str) -> None:
    x, y = linear(np.random.default_rng(row), 40, 100, row)
    bits = LINEAR[row][6]
    forth = found(x, y, estimator=estimator, level=0.9999)  # type: ignore[arg-type]
    assert forth.interval.low <= bits <= forth.interval.high
    assert forth.value == pytest.approx(bits, abs=0.08)
    assert found(y, x, estimator=estimator).value == pytest.approx(0, abs=0.06)  # type: ignore[arg-type]


def test_neighbors_find_what_others_found() -> None:
    """Means and spreads in nats of 10 draws of 2000 steps of two other implementations, k = 4."""
    forth, back = [], []
    for seed in range(10):
        x, y = linear(np.random.default_rng([seed, 7]), 1, 2000)
        forth.append(found(x, y).value * NATS)  # type: ignore[arg-type]
        back.append(found(y, x).value * NATS)  # type: ignore[arg-type]
    for values, mean, spread in ((forth, 0.1392, 0.0138), (forth, 0.1391, 0.0135), (back, 0.0029, 0.0176)):
        assert abs(np.mean(values) - mean) < 4 * spread * np.sqrt(2 / 10)


# What it sees, and what it does not


def test_an_exclusive_or_is_invisible_to_pairs() -> None:
    """y' = x xor y with x fair: 1 bit given y's past, nothing without it."""
    source = np.random.default_rng(1)
    x = source.integers(0, 2, (50, 200))
    y = (source.integers(0, 2, (50, 1)) + np.cumsum(x, axis=1) - x) % 2
    assert found(x, y).value == pytest.approx(1, abs=1e-3)
    assert abs(found(x, y, history=0).value) < 1e-3
    flipped = y.copy()
    for t in range(1, 200):
        flipped[:, t] = flipped[:, t - 1] ^ x[:, t - 1] ^ (source.random(50) < 0.1)
    assert found(x, flipped).value == pytest.approx(0.531004, abs=0.03)
    two = np.stack([x, source.integers(0, 2, x.shape)], axis=-1)
    both = np.zeros_like(x)
    both[:, 1:] = (two[..., 0] ^ two[..., 1])[:, :-1]
    assert abs(found(x, both).value) < 2e-3
    assert found(two, both).value == pytest.approx(1, abs=2e-3)
    assert found(x, both, given=[list(two[..., 1])]).value == pytest.approx(1, abs=2e-3)


def test_the_answer_of_the_same_step_needs_lag_zero() -> None:
    source = np.random.default_rng(2)
    seen = source.integers(0, 2, (50, 100))
    done = seen ^ (source.random(seen.shape) < 0.1)
    assert found(seen, done, lag=0).value == pytest.approx(0.531004, abs=0.03)
    assert abs(found(seen, done, lag=1).value) < 2e-3


def test_a_longer_delay_needs_its_lag_or_history() -> None:
    source = np.random.default_rng(3)
    x = source.integers(0, 2, (50, 100))
    y = np.zeros_like(x)
    y[:, 3:] = x[:, :-3]
    assert abs(found(x, y).value) < 5e-3
    assert found(x, y, lag=3).value == pytest.approx(1, abs=5e-3)
    assert found(x, y, source_history=3).value == pytest.approx(1, abs=5e-3)


def test_too_short_a_history_counts_the_targets_own_memory() -> None:
    """y' = y two steps ago; x shows the last step but one of y."""
    source = np.random.default_rng(4)
    noise = source.random((50, 200)) < 0.1
    y = source.integers(0, 2, (50, 200))
    for t in range(2, 200):
        y[:, t] = y[:, t - 2] ^ noise[:, t]
    x = np.roll(y, 1, axis=1)
    assert found(x[:, 1:], y[:, 1:]).value > 0.5
    assert abs(found(x[:, 1:], y[:, 1:], history=2).value) < 1e-9


def test_a_common_cause_must_be_conditioned_on() -> None:
    source = np.random.default_rng(5)
    cause = np.cumsum(source.random((60, 100)) < 0.1, axis=1) % 2
    x = cause ^ (source.random(cause.shape) < 0.1)
    y = noisy_copy(source, cause, 0.1)
    spurious, honest = found(x, y, surrogates=99), found(x, y, given=[list(cause)], surrogates=99)
    assert spurious.null.p_value == 0.01
    assert honest.null.p_value > 0.05


def test_an_echo_has_no_information_left_and_says_so() -> None:
    """What is done is what was seen, and what is seen next is what was done: the past fixes everything."""
    loop = np.repeat(np.arange(20) % 2, 30).reshape(20, 30)
    for values in (loop, loop + 0.5):
        echo = found(values, values, lag=0, surrogates=19)
        assert echo.value == pytest.approx(0, abs=1e-12)
        assert echo.null.p_value == 1
        assert any("never varies given what is conditioned on" in warning for warning in echo.warnings)


def test_a_rock_and_a_random_agent_are_inside_the_null() -> None:
    source = np.random.default_rng(6)
    done = source.integers(0, 2, (20, 60))
    seen = (np.cumsum(2 * done - 1, axis=1) - (2 * done - 1)) % 5
    chance = found(seen, done, lag=0, surrogates=99)
    assert chance.null.p_value > 0.05
    assert found(done, seen, surrogates=99).null.p_value == 0.01
    rock = found(seen, np.zeros_like(done), lag=0, surrogates=19)
    assert rock.value == 0
    assert rock.null.p_value == 1


def test_what_is_reported() -> None:
    x, y = linear(np.random.default_rng(7), 12, 40)
    metric = TransferEntropy(lag=1, estimator="gaussian", surrogates=39)
    result = metric.estimate(x, y, generator=np.random.default_rng(0))
    assert (result.estimator, result.episodes, result.samples) == ("gaussian", 12, 12 * 39)
    assert result.null is not None
    assert (result.null.kind, result.null.n, result.null.p_value) == ("source of other episodes", 39, 1 / 40)
    assert result.diagnostics["raw"] - result.diagnostics["bias"] == pytest.approx(result.value)
    assert result.diagnostics["effective"] == pytest.approx(result.value - result.null.mean)
    assert result.diagnostics["freedom"] == 1
    assert result.diagnostics["chi_square_p"] < 1e-6
    assert metric.estimate(x, y, generator=np.random.default_rng(0)) == result
    assert TransferEntropy(lag=1, surrogates=0).estimate(x, y, generator=np.random.default_rng(0)).null is None


def test_an_estimator_of_other_parameters_takes_the_place_of_the_named_one() -> None:
    x, y = linear(np.random.default_rng(7), 12, 40)
    default, wide = (
        TransferEntropy(lag=1, estimator=name, surrogates=0).estimate(
            x, y, estimator=given, generator=np.random.default_rng(0)
        )
        for name, given in (("neighbors", None), ("gaussian", Neighbors(k=8)))
    )
    assert default.estimator == wide.estimator == "neighbors"
    assert default.value != wide.value


def test_bad_input_is_reported() -> None:
    names, numbers = np.zeros((3, 20), np.int64), np.random.default_rng(8).normal(size=(3, 20))
    with pytest.raises(UserError, match="source has 3 episodes and target has 2"):
        found(names, names[:2])
    with pytest.raises(UserError, match=r"given\[0\] must have the same steps"):
        found(names, names, given=[list(names[:, 1:])])
    with pytest.raises(UserError, match="names, and nearest neighbors of names mean nothing"):
        found(names, names, estimator="neighbors")
    with pytest.raises(UserError, match="record longer episodes"):
        found(numbers, numbers, history=20)
    with pytest.raises(UserError, match="history >= 0"):
        found(numbers, numbers, history=-1)


# The metric


def test_the_metric_reads_records_unless_a_column_is_the_agents_own() -> None:
    assert TransferEntropy().access is Access.RECORDS
    assert TransferEntropy(given=("reward", "belief.mean")).access is Access.INTERNALS
    assert TransferEntropy(source="obs+belief.mean").access is Access.INTERNALS


def test_the_metric_measures_a_coin_tosser() -> None:
    seen = measure(TransferEntropy(surrogates=19), subject(), seed=1)
    assert (seen.metric, seen.unit, seen.estimator) == ("transfer_entropy", "bits", "plugin")
    assert "obs -> action of the same step" in seen.frame.variables
    control = measure(TransferEntropy(source="action", target="obs", lag=1, surrogates=19), subject())
    assert "action -> obs of the next step" in control.frame.variables


@pytest.mark.parametrize("place", [0, 1])
def test_the_metric_gives_its_known_answers(place: int) -> None:
    metric, of, value, tolerance = list(TransferEntropy.known_answers())[place]
    assert measure(metric, of).value == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize("options", [{"given": "obs"}, {"estimator": "ksg"}, {"lag": -1}, {"level": 1.0}])
def test_the_metric_refuses_what_it_does_not_know(options: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        TransferEntropy(**options)
