"""The mean return of episodes."""

from typing import Any

import numpy as np
import pytest

from agentic import UserError, measure
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
    assert found.warnings == ("3 episodes are too few for the interval: record at least 10",)


@pytest.mark.parametrize("arguments", [{"level": 1.0}, {"level": 0.0}, {"resamples": 0}])
def test_bad_parameters_of_the_interval_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="EpisodeReturn expects"):
        EpisodeReturn(**arguments)


def test_returns_are_estimated_without_a_record() -> None:
    found = EpisodeReturn(resamples=100).estimate([1.0, 2.0, 6.0], best=2.0, generator=np.random.default_rng(0))
    assert (found.value, found.episodes) == (1.5, 3)
    with pytest.raises(UserError, match="must be finite"):
        EpisodeReturn().estimate([1.0, np.inf], generator=np.random.default_rng(0))
