"""Recorded episodes are lived again, observation by observation, or found to be of another world."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import agentic
from agentic import Experiment, Record, RunError, load
from agentic.experiments import relived, world_again


@pytest.fixture
def record(tmp_path: Path) -> Record:
    tables = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}, "run": {"seed": 3, "envs": 2}}
    return agentic.run(Experiment.of({**tables, "evaluate": {"episodes": 6}}), out=tmp_path)


def world(record: Record) -> agentic.Environment:
    assert record.folder is not None
    return world_again(Experiment.load(record.folder / "experiment.toml"), load())


def test_every_episode_of_a_row_is_seen_again(record: Record) -> None:
    for row in (0, 1):
        again = world(record)
        assert again.batch == 1
        episodes = [each for each in record.episodes() if each.row == row]
        assert len(episodes) == 3
        for episode in episodes:
            seen = np.stack(list(relived(again, 3, episode)))
            np.testing.assert_array_equal(seen[:-1], episode.arrays["obs"])
            np.testing.assert_array_equal(seen[1:], episode.arrays["next_obs"])


def test_another_world_is_told_from_the_step_on_where_it_shows(record: Record) -> None:
    first = record.episode(0)
    with pytest.raises(RunError, match="another one from episode 0, step 0 on"):
        list(relived(world(record), 4, first))
    other = {**first.arrays, "next_obs": first.arrays["next_obs"].copy()}
    other["next_obs"][2] += 1.0
    seen = relived(world(record), 3, replace(first, arrays=other))
    assert len([next(seen) for _ in range(3)]) == 3
    with pytest.raises(RunError, match="another one from episode 0, step 2 on"):
        next(seen)
    short = {key: each for key, each in first.arrays.items() if key != "next_obs"}
    with pytest.raises(RunError, match="no column next_obs: it is of another world"):
        next(relived(world(record), 3, replace(first, arrays=short)))
