"""The chain of cues: look, go where the cue points, look again, and only then choose."""

from pathlib import Path

import numpy as np
import pytest

from agentic import Experiment, load
from agentic.experiments.build import build
from agentic.runs.record import EpisodeRecord

EXAMPLE = Path(__file__).parents[2] / "examples" / "cuechain.toml"
SECOND = 2  # the modality of the second cue, which is silent (0) everywhere but in its own cell


def lived(episodes: int, seed: int = 0) -> list[EpisodeRecord]:
    settings = (f"evaluate.episodes={episodes}", f"run.seed={seed}")
    return list(build(Experiment.load(EXAMPLE, settings), load()).run().episodes("evaluate"))


def test_the_agent_hears_the_second_cue_before_it_chooses() -> None:
    episodes = lived(10)
    assert len(episodes) == 10
    for episode in episodes:
        assert episode.arrays["next_obs"][:-1, SECOND].any()
        assert episode.arrays["reward"].tolist()[-1] == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_it_finds_the_reward_in_at_least_95_of_100_episodes(seed: int) -> None:
    returns = [episode.arrays["reward"].sum() for episode in lived(100, seed)]
    assert len(returns) == 100
    assert np.mean(np.array(returns) == 1) >= 0.95
