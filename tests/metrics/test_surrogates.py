"""Surrogates keep what each side is by itself, and nulls count them honestly."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from agentic import UserError
from agentic_metrics import GaussianEstimator, Information, Plugin, Series
from agentic_metrics.sampling.embedding import check_aligned, past, steps, window
from agentic_metrics.sampling.information import blocks, correlation_time
from agentic_metrics.sampling.series import recorded, written
from agentic_metrics.sampling.surrogates import Rearrangement, chi_square, compare, null

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(0, 2**32 - 1))
def test_exchanged_episodes_stay_whole(lengths: list[int], seed: int) -> None:
    """Step t of an episode gets step t of one other, each is used once, and what is not there is -1."""
    starts = np.cumsum([0, *lengths])
    order = Rearrangement(tuple(lengths), 0).draw(np.random.default_rng(seed))
    owners = []
    for place, length in enumerate(lengths):
        moved = order[starts[place] : starts[place + 1]]
        owner = int(np.searchsorted(starts, moved[0], "right") - 1)
        kept = min(length, lengths[owner])
        np.testing.assert_array_equal(moved[:kept], starts[owner] + np.arange(kept))
        assert (moved[kept:] == -1).all()
        owners.append(owner)
    assert sorted(owners) == list(range(len(lengths)))


def test_episodes_are_exchanged_among_those_of_about_their_length() -> None:
    lengths = tuple(range(1, 161))
    order = Rearrangement(lengths, 0).draw(np.random.default_rng(0))
    assert (order < 0).mean() < 0.05
    assert (np.diff(order) == 1).mean() > 0.9


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_turned_episodes_keep_their_steps(lengths: list[int], shift: int, seed: int) -> None:
    """Each is turned as a ring, by at least the shift or a third of it either way."""
    starts = np.cumsum([0, *lengths])
    order = Rearrangement(tuple(lengths), shift).draw(np.random.default_rng(seed))
    for place, length in enumerate(lengths):
        moved = order[starts[place] : starts[place + 1]] - starts[place]
        np.testing.assert_array_equal(moved, (moved[0] + np.arange(length)) % length)
        least = min(shift, length // 3)
        assert least <= moved[0] <= length - least


def test_few_episodes_are_turned_beyond_the_memory_of_the_source() -> None:
    source = np.random.default_rng(1)
    slow = np.cumsum(source.random((2, 4000)) < 0.05, axis=1) % 2
    assert Rearrangement.of(Series.of(list(slow))).shift == pytest.approx(2 * (1 + 2 * 9), rel=0.25)
    assert Rearrangement.of(Series.of(list(slow * 1.0))).shift == Rearrangement.of(Series.of(list(slow))).shift
    assert Rearrangement.of(Series.of(source.normal(size=4000))).shift <= 3
    assert Rearrangement.of(Series.of(list(source.normal(size=(8, 50))))).shift == 0


def test_the_correlation_time_of_an_autoregression_is_known() -> None:
    """r(lag) = phi^lag: (1 + phi) / (1 - phi)."""
    noise = np.random.default_rng(2).normal(size=(20, 3000))
    for t in range(1, 3000):
        noise[:, t] += 0.8 * noise[:, t - 1]
    assert correlation_time([each[:, None] for each in noise]) == pytest.approx(9, rel=0.1)
    assert correlation_time([np.ones((50, 2))]) == 1
    assert np.bincount(blocks(noise[0])).max() >= 5 * 7


def test_p_values_count_the_value_itself() -> None:
    found = compare(0.5, [0.1, 0.2, 0.5, 0.9], "kind")
    assert (found.kind, found.n, found.p_value) == ("kind", 4, 3 / 5)
    assert found.mean == pytest.approx(0.425)
    assert found.sd == pytest.approx(np.std([0.1, 0.2, 0.5, 0.9], ddof=1))


def test_the_null_of_theory_has_the_tail_of_chi_square() -> None:
    """Two degrees of freedom: p = exp(-N I), I in nats."""
    x, y, z = np.random.default_rng(3).integers(0, 2, (3, 500, 1))
    found = Plugin().information(x, y, z)
    theory = chi_square(found)
    assert theory is not None
    assert theory.p_value == pytest.approx(np.exp(-500 * np.log(2) * found.local.mean()))
    assert theory.sd == pytest.approx(2 / (2 * 500 * np.log(2)))
    assert chi_square(Information(np.zeros(3))) is None
    constant = chi_square(Plugin().information(x, x * 0))
    assert constant is not None
    assert constant.p_value == 1


def test_a_null_needs_ways_to_rearrange() -> None:
    found = GaussianEstimator().information(*np.random.default_rng(4).normal(size=(2, 30, 1)))
    options: dict[str, Any] = {"surrogates": 9, "generator": np.random.default_rng(5)}
    assert null(found, Series.of(np.arange(8.0)), lambda _: found, **options) is None
    against = null(found, Series.of(np.arange(100.0)), lambda _: found, **options)
    assert against is not None
    assert (against.p_value, against.kind) == (1, "source turned within episodes")


def test_samples_never_straddle_episodes() -> None:
    lengths, values = (4, 1, 3), np.arange(8)[:, None]
    at, episode = steps(lengths, 2)
    np.testing.assert_array_equal(at, [2, 3, 7])
    np.testing.assert_array_equal(episode, [0, 0, 2])
    np.testing.assert_array_equal(window(values, past(at, first=1, depth=2)), [[1, 0], [2, 1], [6, 5]])
    assert window(values, past(at, first=1, depth=0)).shape == (3, 0)
    with pytest.raises(UserError, match="look 4 steps back need episodes of at least 5 steps, the longest has 4"):
        steps(lengths, 4)


def test_series_must_have_the_same_steps() -> None:
    def series(*lengths: int) -> Series:
        arrays: list[NDArray[np.float64]] = [np.zeros(length) for length in lengths]
        return Series.of(arrays)

    check_aligned(source=series(3, 4), target=series(3, 4))
    with pytest.raises(UserError, match="source has 2 episodes and target has 1"):
        check_aligned(source=series(3, 4), target=series(3))
    with pytest.raises(UserError, match="episode 1 has 4 and 5: cut them"):
        check_aligned(source=series(3, 4), target=series(3, 5))


def test_what_is_written_is_what_is_recorded() -> None:
    record = written(obs=[[1, 2, 3], [4]], reward=[[0.5, 0.0, 1.0], [2.0]])
    np.testing.assert_array_equal(recorded(record, "obs").joined()[:, 0], [1, 2, 3, 4])
    assert recorded(record, "obs+reward").lengths == (3, 1)
    assert list(record.returns()) == [1.5, 2.0]
