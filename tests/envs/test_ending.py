"""The end of an episode as an observation of its own."""

import gymnasium
import pytest

import agentic_envs
from agentic import UserError, make
from agentic_envs.ending import ShowEnd
from agentic_envs.joined import JoinObservations

assert agentic_envs


def test_who_sticks_sees_that_it_is_over_and_how() -> None:
    env = ShowEnd(JoinObservations(gymnasium.make("Blackjack-v1")))
    assert env.observation_space == gymnasium.spaces.Discrete(707)
    seen = set()
    for seed in range(50):
        assert env.reset(seed=seed)[0] < 704
        observation, reward, *_ = env.step(0)
        assert observation == 705 + reward
        seen.add(int(observation))
    assert seen == {704, 705, 706}  # lost, drawn, won


def test_what_is_cut_or_goes_on_is_seen_as_it_is() -> None:
    env = ShowEnd(gymnasium.make("FrozenLake-v1", is_slippery=False, max_episode_steps=2))
    env.reset(seed=0)
    assert env.step(1)[0] == 4
    observation, _, terminated, truncated, _ = env.step(1)
    assert (observation, terminated, truncated) == (8, False, True)
    env.reset()
    env.step(1)
    assert env.step(2)[:3] == (17, 0, True)  # a hole


def test_its_truth_is_not_that_of_the_world_inside() -> None:
    with pytest.raises(UserError):
        make(ShowEnd(gymnasium.make("FrozenLake-v1"))).truth()


def test_several_observations_are_joined_first() -> None:
    with pytest.raises(ValueError, match="use JoinObservations first"):
        ShowEnd(gymnasium.make("Blackjack-v1"))
