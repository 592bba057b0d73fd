"""Who knows that a sample is too small says so once, and estimators, estimates and measurements hand it on."""

from dataclasses import replace

import numpy as np
import pytest

from agentic import Frame, Verdict
from agentic.metrics import Row, verdicts
from agentic_metrics import EpisodeReturn, GaussianEstimator, Neighbors, Plugin, TransferEntropy
from agentic_metrics.cautions import Caution, few_episodes, too_few
from agentic_metrics.estimate import Estimate
from agentic_metrics.sampling.information import FIXED, Estimator

FRAME = Frame(("action",), "the agent acts", None, "none", "resets", ())
LARGE = Estimate(value=1.0, estimator="known", episodes=500, samples=5000)
METRIC = EpisodeReturn()


def test_a_caution_alone_says_nothing_of_the_sample() -> None:
    found = replace(LARGE, cautions=(Caution("two of the few absorbing states are merged"),))
    measured = found.measurement("m", METRIC, FRAME)
    assert (measured.enough, measured.warnings) == (True, ("two of the few absorbing states are merged",))


def test_a_sample_that_is_too_small_is_marked_and_said() -> None:
    found = replace(LARGE, cautions=(Caution("raise lags"), too_few("not enough episodes: 3 seen")))
    measured = found.measurement("m", METRIC, FRAME)
    assert (measured.enough, measured.warnings) == (False, ("raise lags", "not enough episodes: 3 seen"))
    assert verdicts([Row("m", [measured])]) == [Verdict.TOO_LITTLE_DATA]


def test_a_record_of_few_episodes_is_reported_once() -> None:
    short = replace(LARGE, episodes=3, samples=30)
    measured = short.measurement("m", METRIC, FRAME)
    few = "3 episodes with 30 samples are too few for the interval: record at least 10"
    assert (measured.enough, measured.warnings) == (False, (few,))
    said = replace(short, cautions=few_episodes(3, 20)).measurement("m", METRIC, FRAME)
    assert (said.enough, said.warnings) == (False, ("3 episodes are too few for the interval: record at least 20",))
    other = replace(short, cautions=(too_few("9 choices are too few"),)).measurement("m", METRIC, FRAME)
    assert (other.enough, other.warnings) == (False, ("9 choices are too few", few))


@pytest.mark.parametrize(("episodes", "samples"), [(10, 10), (1, 100), (0, 0)])
def test_enough_episodes_or_an_exact_value_are_enough(episodes: int, samples: int) -> None:
    measured = replace(LARGE, episodes=episodes, samples=samples).measurement("m", METRIC, FRAME)
    assert (measured.enough, measured.warnings) == (True, ())


def test_few_episodes_stop_where_there_are_enough() -> None:
    assert few_episodes(10, 10) == ()
    (few,) = few_episodes(9, 10, verb="run")
    assert few.text == "9 episodes are too few for the interval: run at least 10"


@pytest.mark.parametrize("estimator", [Plugin(), GaussianEstimator(), Neighbors()])
@pytest.mark.parametrize(("steps", "enough"), [(3, False), (200, True)])
def test_what_an_estimator_knows_comes_through(estimator: Estimator, steps: int, enough: bool) -> None:
    source = np.random.default_rng(0)
    names = isinstance(estimator, Plugin)
    x, y = source.integers(3, size=(2, 12, steps)) if names else source.normal(size=(2, 12, steps))
    metric = TransferEntropy(lag=1, surrogates=9)
    found = metric.estimate(list(x), list(y), estimator=estimator, generator=source)
    assert found.measurement("transfer_entropy", metric, FRAME).enough is enough


def test_what_never_varies_is_no_matter_of_size() -> None:
    assert FIXED.lacks is None
