"""The T-maze: known facts of the literature's simplified version."""

from typing import Any

import numpy as np
import pytest

from agentic_envs.tmaze import CENTER, CUE, LEFT, RIGHT, TMaze


def test_an_episode_lasts_four_moves_and_starts_at_the_center() -> None:
    env = TMaze()
    observation, _ = env.reset(seed=0)
    assert observation.tolist() == [0, 0]
    assert [env.step(action)[2:4] for action in (CUE, LEFT, LEFT, LEFT)] == [(False, False)] * 3 + [(False, True)]


@pytest.mark.parametrize(("side", "arm", "outcome"), [(0, LEFT, 1), (0, RIGHT, 2), (1, LEFT, 2), (1, RIGHT, 1)])
def test_arms_are_certain_and_can_be_left(side: int, arm: int, outcome: int) -> None:
    env = TMaze()
    env.reset(seed=0)
    env.side = side
    reward = 1.0 if outcome == 1 else -1.0
    for _ in range(2):
        observation, paid, terminated, _, _ = env.step(arm)
        assert observation.tolist() == [arm, outcome]
        assert (paid, terminated) == (reward, False)
    assert env.step(CENTER)[0].tolist() == [0, 0]


@pytest.mark.parametrize(("validity", "shown"), [(1.0, [3, 4]), (0.0, [4, 3])])
def test_a_certain_cue_names_or_swaps_the_side(validity: float, shown: list[int]) -> None:
    env = TMaze(validity=validity)
    env.reset(seed=0)
    for side in (0, 1):
        env.side = side
        assert env.step(CUE)[0].tolist() == [shown[side], 0]


def test_the_cue_is_drawn_anew_at_each_visit_and_is_right_as_often_as_said() -> None:
    env = TMaze(steps=20_000)
    env.reset(seed=1)
    right = np.array([env.step(CUE)[0][0] == CUE + env.side for _ in range(20_000)])
    assert abs(right.mean() - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 20_000)
    assert abs(right[1:][~right[:-1]].mean() - 0.95) < 4 * np.sqrt(0.95 * 0.05 / (~right[:-1]).sum())


def test_one_look_at_the_cue_is_worth_what_the_literature_says() -> None:
    truth = TMaze().true_model()
    prior = truth["D"][1]
    gains = []
    for place in (CENTER, LEFT, RIGHT, CUE):
        joint = np.einsum("ps,os,s->pos", truth["A"][0][:, place], truth["A"][1][:, place], prior).reshape(-1, 2)
        independent = joint.sum(1, keepdims=True) * prior
        seen = joint > 0
        gains.append(float((joint[seen] * np.log(joint[seen] / independent[seen])).sum()))
    np.testing.assert_allclose(gains, [0.0, 0.693147, 0.693147, 0.494632], atol=1e-6)


def test_rewards_follow_the_state_after_the_move() -> None:
    rewards = TMaze().true_model()["rewards"]
    assert rewards.shape == (4, 2, 4)
    for location in range(4):
        np.testing.assert_array_equal(rewards[location], [[0, 1, -1, 0], [0, -1, 1, 0]])


@pytest.mark.parametrize("validity", [1.5, -0.1, "high", float("nan")])
def test_a_validity_that_is_no_probability_is_refused(validity: Any) -> None:
    with pytest.raises(ValueError, match="validity must be a probability between 0 and 1"):
        TMaze(validity=validity)


def test_the_text_shows_the_maze() -> None:
    env = TMaze(render_mode="ansi")
    env.reset(seed=0)
    env.side = 1
    assert env.render() == "-@+\n . \n ? \n"
    env.step(CUE)
    assert env.render() == "-.+\n . \n @ \n"


def test_the_picture_shows_a_three_by_three_maze() -> None:
    env = TMaze(render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    env.step(CUE)
    assert before.shape == (96, 96, 3)
    assert not np.array_equal(before, env.render())
