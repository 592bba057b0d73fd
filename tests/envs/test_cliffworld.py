"""The cliff: moves, wind, rewards and what is refused."""

from typing import Any

import numpy as np
import pytest

from agentic.testing import checks_for
from agentic_envs.cliffworld import CliffWorld

UP_LEFT, UP_RIGHT, DOWN_LEFT, DOWN_RIGHT = range(4)


@checks_for(CliffWorld)
def test_keeps_its_contract(check: Any) -> None:
    check()


def test_moves_are_diagonal_and_each_direction_is_held_by_its_edge() -> None:
    env = CliffWorld(wind=0.0, steps=100)
    env.reset(seed=0)
    cells = [env.step(action)[0] for action in [UP_LEFT, DOWN_LEFT, DOWN_RIGHT, DOWN_RIGHT, DOWN_RIGHT, UP_LEFT]]
    assert cells == [0, 10, 21, 32, 33, 22]


def test_the_wind_blows_one_row_further_up_before_the_edge_holds() -> None:
    env = CliffWorld(wind=1.0, steps=100)
    env.reset(seed=0)
    assert [env.step(action)[0] for action in [DOWN_RIGHT, DOWN_LEFT]] == [1, 0]
    env.cell = 35
    assert env.step(DOWN_RIGHT)[0] == 36  # aimed below the lowest row, blown back into it
    assert env.step(UP_RIGHT)[0] == 17


def test_the_reward_is_that_of_the_cell_in_which_the_action_is_taken() -> None:
    env = CliffWorld(wind=0.0, steps=100, width=2)
    env.reset(seed=0)
    rewards = []
    for cell in (0, 1, 7, 8, 9, 10, 39):
        env.cell = cell
        rewards.append(env.step(UP_LEFT)[1])
    assert rewards == [-1, -10, -10, 10, 10, -1, -1]


def test_the_truth_is_what_happens() -> None:
    env = CliffWorld(rows=3, columns=4, wind=0.3, steps=10)
    truth = env.true_model()
    assert truth["B"][0][:, 5, DOWN_RIGHT].tolist() == [0, 0, 0, 0, 0, 0, 0.3, 0, 0, 0, 0.7, 0]
    counts, choose = np.zeros_like(truth["B"][0]), np.random.default_rng(0)
    env.reset(seed=1)
    for step in range(4000):
        before, action = env.cell, int(choose.integers(4))
        after, reward, terminated, truncated, _ = env.step(action)
        counts[after, before, action] += 1
        assert reward == truth["rewards"][before, action]
        assert (terminated, truncated) == (False, step % 10 == 9)
        if truncated:
            env.reset()
    total = counts.sum(0)
    error = np.sqrt(truth["B"][0] * (1 - truth["B"][0]) / np.maximum(total, 1))
    assert (np.abs(counts / np.maximum(total, 1) - truth["B"][0])[:, total > 0] <= 4.5 * error[:, total > 0]).all()


def test_a_wrapper_may_change_wind_and_rewards() -> None:
    env = CliffWorld()
    env.wind, env.rewards[0, 3] = 0.0, 5.0
    assert env.true_model()["rewards"][3].tolist() == [5.0] * 4
    env.wind = 2.0
    with pytest.raises(ValueError, match="wind must be a probability"):
        env.reset(seed=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 1}, "rows must be a whole number of at least 2"),
        ({"columns": 2.5}, "columns must be a whole number"),
        ({"width": 10}, "width must be smaller than columns = 10"),
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"steps": 0}, "steps must be a whole number of at least 1"),
        ({"render_mode": "human"}, "render_mode must be one of"),
    ],
)
def test_what_makes_no_cliff_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CliffWorld(**arguments)


def test_pictures_and_texts() -> None:
    text, picture = CliffWorld(rows=2, columns=3, render_mode="ansi"), CliffWorld(render_mode="rgb_array")
    text.reset(seed=0)
    picture.reset(seed=0)
    assert text.render() == "@#G\n...\n"
    assert picture.render().shape == (4 * 32, 10 * 32, 3)
