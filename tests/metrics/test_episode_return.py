"""The mean return of episodes."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import stdtrit

from agentic import UserError, measure
from agentic.metrics import return_interval
from agentic.testing.metrics import subject
from agentic_metrics.episode_return import EpisodeReturn


def test_the_return_of_episodes() -> None:
    found = measure(EpisodeReturn(), subject())
    record = subject().record
    assert record is not None
    returns = record.returns()
    assert found.value == pytest.approx(returns.mean())
    assert (found.episodes, found.null, found.warnings) == (len(returns), None, ())
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    expected = 1.96 * returns.std(ddof=1) / len(returns) ** 0.5
    assert (found.interval.high - found.interval.low) / 2 == pytest.approx(expected, rel=0.25)


def test_few_episodes_are_reported() -> None:
    metric, case, value, tolerance = next(EpisodeReturn.known_answers())
    found = measure(metric, case)
    assert found.value == pytest.approx(value, abs=tolerance)
    assert found.warnings == (
        "3 episodes are too few for the interval: record at least 10; of returns as skewed as exponential ones it "
        "holds the mean in .90 to .93 of records where .95 is said",
    )


@pytest.mark.parametrize("arguments", [{"level": 1.0}, {"level": 0.0}])
def test_bad_parameters_of_the_interval_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="EpisodeReturn expects"):
        EpisodeReturn(**arguments)


def test_returns_are_estimated_without_a_record() -> None:
    found = EpisodeReturn().estimate([1.0, 2.0, 6.0], best=2.0)
    assert (found.value, found.episodes) == (1.5, 3)
    with pytest.raises(UserError, match="must be finite"):
        EpisodeReturn().estimate([1.0, np.inf])


def test_one_episode_has_no_interval() -> None:
    for paid in (64.0, 1.0, 0.0):
        found = EpisodeReturn().estimate([paid])
        assert (found.value, found.interval) == (paid, None)
        assert found.warnings == ("1 episode has no interval: record at least 10",)


def test_shares_of_successes_are_binomial() -> None:
    """The interval of 9 of 10 by Clopper and Pearson, also as a share of the best return and between other payoffs."""
    won = [1.0] * 9 + [0.0]
    for metric, returns, best, scale, shift in (
        (EpisodeReturn(), won, 1.0, 1.0, 0.0),
        (EpisodeReturn(), won, 0.8, 1.25, 0.0),
        (EpisodeReturn(payoffs=(1.0, -1.0)), [2 * each - 1 for each in won], 1.0, 2.0, -1.0),
    ):
        interval = metric.estimate(returns, best=best).interval
        assert interval is not None
        expected = [scale * end + shift for end in (0.5549839, 0.9974714)]
        assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-6)
        assert "Clopper-Pearson" in interval.method
    with pytest.raises(UserError, match=r"returns are said to be -1 or 1, one is 0: leave payoffs out"):
        EpisodeReturn(payoffs=(-1.0, 1.0)).estimate(won)


def test_skewed_returns_have_a_skewed_interval() -> None:
    """Hall's transformation inverted: W = T + g T^2 / 3 + g^2 T^3 / 27 + g / (6 n) is t / sqrt(n) at both ends."""
    returns = np.random.default_rng(0).exponential(size=8)
    found, sd = EpisodeReturn().estimate(returns), returns.std(ddof=1)
    assert found.interval is not None
    g = (((returns - returns.mean()) / sd) ** 3).mean()
    ends = (returns.mean() - np.array([found.interval.low, found.interval.high])) / sd
    reach = stdtrit(7, 0.975) / 8**0.5
    assert ends + g * ends**2 / 3 + g**2 * ends**3 / 27 + g / 48 == pytest.approx([reach, -reach])
    assert found.interval.high - found.value > found.value - found.interval.low


def test_returns_that_are_all_alike_are_said_to_be() -> None:
    interval = EpisodeReturn().estimate([64.0] * 3).interval
    assert interval is not None
    assert (interval.low, interval.high) == (64.0, 64.0)
    assert interval.method.endswith("all alike")


def test_returns_too_large_to_square_have_the_interval_of_smaller_ones() -> None:
    few = np.array([1.0, 2.0, 4.0, 3.0])
    (mean, found), (small, plain) = return_interval(few * 1e160), return_interval(few)
    assert_allclose([mean, found.low, found.high], np.array([small, plain.low, plain.high]) * 1e160)


@pytest.mark.parametrize("scale", [5e306, 1e-160, 1e-300])
def test_returns_at_the_ends_of_what_numbers_hold_have_their_interval(scale: float) -> None:
    few = np.array([1.0, 2.0, 4.0, 3.0])
    (mean, found), (small, plain) = return_interval(few * scale), return_interval(few)
    assert_allclose(np.array([mean, found.low, found.high]) / scale, [small, plain.low, plain.high])


def test_the_mean_of_the_largest_numbers_is_one_of_them() -> None:
    mean, found = return_interval([1e308, 1e308])
    assert (mean, found.low, found.high) == (1e308, 1e308, 1e308)
