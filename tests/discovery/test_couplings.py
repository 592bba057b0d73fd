"""Couplings: the evidence of the g-prior by hand, what is found in known processes, order within a step, traces."""

import numpy as np
import pytest

from agentic_discovery.checks import traces
from agentic_discovery.couplings import Moments, gaussian_couplings, log_evidence, unexplained
from agentic_envs.planted import network, structureless

NOW = np.zeros(3, np.intp)


def chain(steps: int = 500) -> np.ndarray:
    """Three columns, each heard by the next one step later."""
    noise = np.random.default_rng(0).standard_normal((steps, 3))
    values = noise.copy()
    values[1:, 1] += 0.8 * values[:-1, 0]
    values[1:, 2] += 0.8 * values[:-1, 1]
    return values


def test_the_evidence_is_that_of_zellners_prior() -> None:
    # Liang et al. 2008, equation 6: (1 + g)^((n - 1 - k)/2) / (1 + g (1 - R^2))^((n - 1)/2), here with g = n = 5, k = 1
    assert log_evidence(5, 1, 0.5) == pytest.approx(np.log(6**1.5 / 3.5**2))
    assert log_evidence(100, 0, 1.0) == pytest.approx(0.0)


def test_a_coupling_is_what_the_evidence_loses() -> None:
    moments = Moments.of(chain(), [500])
    found = gaussian_couplings(moments, NOW)
    kept = np.sort(found.kept[1])
    with_it = log_evidence(499, 2, unexplained(moments, 1, kept))
    without = log_evidence(499, 1, unexplained(moments, 1, np.array([4])))
    assert kept.tolist() == [3, 4]  # column 0 and its own past
    assert found.nats[0, 1] == pytest.approx(with_it - without)
    assert (found.nats > 0).tolist() == [[False, True, False], [False, False, True], [False, False, False]]


def test_what_is_left_is_that_of_least_squares() -> None:
    values = chain()
    moments = Moments.of(values, [500], resolution=1e-9)
    past, target = values[:-1] - values[:-1].mean(0), values[1:, 1] - values[1:, 1].mean()
    residual = target - past @ np.linalg.lstsq(past, target, rcond=None)[0]
    assert unexplained(moments, 1, np.array([3, 4, 5])) == pytest.approx(residual.var() / target.var(), rel=1e-6)


def test_nothing_reaches_over_the_end_of_an_episode() -> None:
    assert Moments.of(chain(12), [5, 4, 3]).steps == 9
    assert Moments.of(chain(12), [5, 4, 3], lag=3).steps == 3


def test_columns_that_come_first_may_act_within_the_step() -> None:
    noise = np.random.default_rng(0).standard_normal((400, 2))
    noise[:, 1] += noise[:, 0]
    found = gaussian_couplings(Moments.of(noise, [400]), np.array([0, 1])).nats
    assert found[0, 1] > 50
    assert found[1, 0] == 0
    assert (gaussian_couplings(Moments.of(noise, [400]), np.zeros(2, np.intp)).nats == 0).all()


def test_a_sound_recording_has_no_traces_of_something_missed() -> None:
    planted = network(1)
    found = traces(Moments.of(planted.values, planted.episodes, lag=2), np.zeros(28, np.intp), 0.01)
    assert found.within.sum() == 0
    assert found.before.sum() == 0


def test_every_second_step_leaves_traces_within_and_hidden_columns_before() -> None:
    planted = network(1, steps=4000)
    slow = traces(Moments.of(planted.values[::2], [2000], lag=2), np.zeros(28, np.intp), 0.01)
    assert (slow.within > 0).sum() / 2 > 20
    seen = traces(Moments.of(planted.values[:, :24], [4000], lag=2), np.zeros(24, np.intp), 0.01)
    assert (seen.before > 0).sum() > 10


def test_structureless_couplings_are_about_as_many_as_were_planted() -> None:
    found = gaussian_couplings(Moments.of(structureless(3, 28, 0.0).values, [2000]), np.zeros(28, np.intp))
    assert (found.nats > 0).sum() <= 2
