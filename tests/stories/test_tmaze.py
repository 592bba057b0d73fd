"""The T-maze: is it worth a step to look before choosing an arm?

The cue tells which arm holds the reward and is right 95 times in 100. Planning that values information asks it first.
"""

from pathlib import Path

import numpy as np
import pytest

from agentic import Experiment, Record, load
from agentic.experiments.build import build

EXAMPLES = Path(__file__).parents[2] / "examples"
LEFT, CUE = 1, 3  # locations, and the actions that lead there
SAYS_LEFT = 3  # what is seen at the cue: 3 left, 4 right


def simulated(name: str, *settings: str) -> Record:
    return build(Experiment.load(EXAMPLES / name, settings), load()).run()


def test_the_greedy_agent_asks_the_cue_and_goes_where_it_points() -> None:
    episodes = simulated("tmaze.toml", "evaluate.episodes=200").episodes("evaluate")
    assert len(episodes) == 200
    first, second = (np.array([episode.arrays["action"][t] for episode in episodes]) for t in (0, 1))
    message = np.array([episode.arrays["next_obs"][0, 0] for episode in episodes])
    assert np.count_nonzero(first == CUE) == 200
    assert np.count_nonzero(second == LEFT + message - SAYS_LEFT) == 200

    rewarded = np.mean([episode.arrays["reward"][1] == 1 for episode in episodes])
    assert rewarded == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / 200) ** 0.5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tmaze-open-loop.toml", [0.183495, 0.003639, 0.003639, 0.809228]),
        ("tmaze.toml", [0.003444, 0.008283, 0.008283, 0.979990]),
    ],
)
def test_at_precision_3_first_actions_are_drawn_as_published(name: str, expected: list[float]) -> None:
    """Open loop an agent cannot know that it will have looked; closed loop it can, and hesitates less."""
    precise = "agent.selection={ name = 'softmax', precision = 3.0 }"
    record = simulated(name, precise, "env.kwargs.steps=1", "evaluate.episodes=600")
    chosen = np.asarray(record.table(["action"])["action"])
    assert len(chosen) == 600
    for action, probability in enumerate(expected):
        error = (probability * (1 - probability) / 600) ** 0.5
        assert np.mean(chosen == action) == pytest.approx(probability, abs=3 * error)
