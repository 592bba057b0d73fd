"""Surrogates keep what each side is by itself, and nulls count them honestly."""

import re
from itertools import permutations
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
from agentic_metrics.sampling.surrogates import Exchange, compare, null, placed
from agentic_metrics.sampling.theory import chi_square
from agentic_metrics.sampling.turned import Turning

LENGTHS = st.lists(st.integers(1, 12), min_size=2, max_size=30)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(0, 2**32 - 1))
def test_exchanged_episodes_stay_whole(lengths: list[int], seed: int) -> None:
    """Step t of an episode gets step t of one other, each is used once, and what is not there is -1."""
    starts = np.cumsum([0, *lengths])
    order = placed(lengths, next(Exchange(tuple(lengths)).draws(np.random.default_rng(seed), 5)))
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
    order = placed(lengths, next(Exchange(lengths).draws(np.random.default_rng(0), 99)))
    assert (order < 0).mean() < 0.05
    assert (np.diff(order) == 1).mean() > 0.9


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(0, 20))
def test_turned_episodes_keep_their_steps(lengths: list[int], turn: int) -> None:
    """Each is turned as a ring, all by the same number of steps."""
    starts = np.cumsum([0, *lengths])
    order = placed(lengths, np.arange(len(lengths)), turn)
    for place, length in enumerate(lengths):
        moved = order[starts[place] : starts[place + 1]] - starts[place]
        np.testing.assert_array_equal(moved, (turn + np.arange(length)) % length)


def test_few_episodes_are_exchanged_in_every_way_once() -> None:
    orders = [tuple(order) for order in Exchange((9, 3, 5, 7)).draws(np.random.default_rng(0), 99)]
    assert sorted(orders) == sorted(set(permutations(range(4))) - {(0, 1, 2, 3)})
    assert [Exchange((5,) * count).ways for count in (4, 5, 8, 9)] == [23, 119, 40319, None]


def test_turns_are_counted_by_the_memory_of_the_source() -> None:
    source = np.random.default_rng(1)
    slow = np.cumsum(source.random((2, 4000)) < 0.05, axis=1) % 2
    found = Turning.of(Series.of(list(slow)))
    assert found.memory == pytest.approx(1 + 2 * 9, rel=0.25)
    assert found.ways == 2 * 4000 / found.memory
    assert Turning.of(Series.of(list(slow * 1.0))).memory == pytest.approx(found.memory)
    assert Turning.of(Series.of(source.normal(size=4000))).memory <= 1.5


def test_few_turns_and_drifts_leave_no_null() -> None:
    source = np.random.default_rng(6)
    slow = np.cumsum(source.random(500) < 0.02) % 2
    ramp = (source.random((3, 200)) < np.linspace(0, 1, 200)).astype(int)
    for series, why in (
        (slow, "1 episode of 500 steps that remember .* can be rearranged in .* ways, fewer than 20"),
        (list(ramp), "3 episodes of 200 steps drift from beginning to end"),
        (np.arange(300.0), "1 episode of 300 steps (that remember|drift)"),
    ):
        (doubt,) = Turning.of(Series.of(series)).doubts
        assert re.search(f"no null: {why}", doubt.text)
        assert "record more and longer episodes, 8 are always enough" in doubt.text
        assert doubt.lacks is None
    assert not Turning.of(Series.of(list(source.normal(size=(3, 100))))).doubts


def test_what_episodes_share_at_a_step_is_no_evidence() -> None:
    """A turn's orders are compared with one another: values that all orders have alike are reached by all."""
    turning = Turning((50, 50), 1.0, False)
    shared = turning.values(lambda _, turn: float(turn == 0), 99, np.random.default_rng(0))
    own = turning.values(lambda order, turn: float(turn == 0 and order[0] == 0), 99, np.random.default_rng(0))
    assert (turning.null(shared).p_value, turning.null(own).p_value) == (1.0, 1 / own.size)
    assert shared.shape[1] == 2


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
    each = np.arange(500)  # every step an episode of its own: none remembers another
    _, theory = chi_square(found, each)
    assert theory is not None
    assert theory.p_value == pytest.approx(np.exp(-500 * np.log(2) * found.local.mean()))
    assert theory.sd == pytest.approx(2 / (2 * 500 * np.log(2)))
    lawless, nothing = chi_square(Information(np.zeros(3)), np.arange(3))
    assert nothing is None
    assert lawless.cautions[-1].text == "the estimator has no null by theory: ask for surrogates"
    _, constant = chi_square(Plugin().information(x, x * 0), each)
    assert constant is not None
    assert constant.p_value == 1


def test_a_null_needs_ways_to_rearrange() -> None:
    found = GaussianEstimator().information(*np.random.default_rng(4).normal(size=(2, 30, 1)))
    options: dict[str, Any] = {"surrogates": 9, "generator": np.random.default_rng(5)}
    episode, white = np.zeros(30, np.int64), np.random.default_rng(6).normal(size=100)
    left, against = null(found, Series.of(np.arange(8.0)), episode, lambda _: found, **options)
    assert against is None
    assert "no null: 1 episode of 8 steps" in left.cautions[-1].text
    left, against = null(found, Series.of(white), episode, lambda _: found, **options)
    assert left is found
    assert against is not None
    assert (against.p_value, against.kind) == (1, "source turned within episodes")


def test_chi_square_knows_memory_and_sparse_cells() -> None:
    source = np.random.default_rng(7)
    slow = [(np.cumsum(source.random(400) < 0.05) % 2)[:, None] for _ in range(2)]
    many = source.integers(0, 20, (2, 400, 1))
    for pair, why in (
        (slow, "steps that remember .* have no chi-square null"),
        (many, "400 samples are too few for a chi"),
    ):
        left, against = chi_square(Plugin().information(*pair), np.zeros(400, np.int64))
        assert against is None
        assert re.search(why, left.cautions[-1].text)
        assert "ask for surrogates" in left.cautions[-1].text


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
