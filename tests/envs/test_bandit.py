"""The bandit: which arm wins where, and when that changes."""

from typing import Any

import numpy as np
import pytest

from agentic_envs.bandit import LOSS, WIN, Bandit


def test_the_context_says_which_arm_is_best() -> None:
    env = Bandit(arms=3, contexts=3, high=1.0, low=0.0)
    env.reset(seed=0)
    for best in range(3):
        for context in range(3):
            for arm in range(3):
                env.state = (best, context, 0)
                seen, reward, terminated, _, _ = env.step(arm)
                won = arm == (best + context) % 3
                assert (seen[1], reward, terminated) == (WIN if won else LOSS, float(won), False)


@pytest.mark.parametrize("drift", [0.0, 0.3])
def test_the_best_arm_stays_or_moves(drift: float) -> None:
    env = Bandit(arms=2, drift=drift, steps=5000)
    env.reset(seed=0)
    places = []
    for _ in range(5000):
        env.step(0)
        places.append(env.state[0])
    assert np.mean(np.diff(places) != 0) == pytest.approx(drift / 2, abs=4 * np.sqrt(0.15 * 0.85 / 5000))


def test_the_text_shows_the_best_arm_and_the_last_outcome() -> None:
    env = Bandit(high=1.0, render_mode="ansi")
    env.reset(seed=0)
    env.state = (1, 0, 0)
    env.step(1)
    assert env.render() == "context 0: .$. won\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"arms": 1}, "arms must be a whole number of at least 2, got 1"),
        ({"contexts": 0}, "contexts must be a whole number of at least 1, got 0"),
        ({"high": 1.5}, "high must be a probability"),
        ({"drift": "much"}, "drift must be a probability"),
    ],
)
def test_doors(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Bandit(**arguments)
