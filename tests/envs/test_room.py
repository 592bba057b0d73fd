"""The room: pushes, weather, the set point, and what a thermostat makes of it."""

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box

from agentic import UserError, World, make
from agentic.testing import checks_for
from agentic_envs.room import Room
from agentic_metrics import planner

COOL, HEAT = range(2)


@checks_for(Room)
def test_keeps_its_contract(check: Any) -> None:
    check()


def test_without_weather_the_temperature_is_pushed_and_held() -> None:
    env = Room(levels=3, noise=0.0)
    env.reset(seed=0)
    env.temperature = 1
    assert [env.step(action)[0] for action in (HEAT, HEAT, COOL, COOL, COOL)] == [2, 2, 1, 0, 0]


def test_who_may_rest_rests_with_the_first_action() -> None:
    env = Room(levels=3, noise=0.0, rest=True)
    env.reset(seed=0)
    env.temperature = 1
    assert [env.step(action)[0] for action in (0, 1, 2, 2)] == [1, 2, 1, 0]


def test_the_reward_is_how_far_off_the_room_is_after_the_step() -> None:
    env = Room(levels=5, noise=0.0, setpoint=1.5)
    env.reset(seed=0)
    env.temperature = 4
    assert [env.step(action)[1] for action in (HEAT, COOL, COOL, COOL)] == [-2.5, -1.5, -0.5, -0.5]


def test_the_weather_warms_as_often_as_it_cools() -> None:
    env = Room(levels=5, rest=True, noise=0.4, steps=10_000)
    env.reset(seed=3)
    moved = []
    for _ in range(10_000):
        env.temperature = 2
        moved.append(env.step(0)[0] - 2)
    for change, share in ((-1, 0.2), (0, 0.6), (1, 0.2)):
        assert np.mean(np.array(moved) == change) == pytest.approx(share, abs=4 * (share * (1 - share) / 1e4) ** 0.5)


def test_measured_it_is_the_same_room_seen_as_a_number() -> None:
    plain, measured = Room(), Room(measured=True)
    assert measured.observation_space == Box(0.0, 7.0, (1,), np.float32)
    assert plain.reset(seed=5)[0] == measured.reset(seed=5)[0].item()
    for action in (COOL, HEAT, HEAT) * 10:
        level, *rest = plain.step(action)
        degrees, *same = measured.step(action)
        assert (degrees.dtype, degrees.tolist(), same) == (np.float32, [level], rest)
    with pytest.raises(UserError, match="leave measured out"):
        make(measured).truth()


@pytest.mark.parametrize("depth", [1, 2, 40])
@pytest.mark.parametrize(
    ("settings", "best"),
    [
        ({"levels": 6}, [1, 1, 1, 0, 0, 0]),
        ({"levels": 4, "noise": 0.9}, [1, 1, 0, 0]),
        ({"levels": 6, "setpoint": 3.5}, [1, 1, 1, 1, 0, 0]),
        ({"levels": 5, "rest": True}, [1, 1, 0, 2, 2]),
    ],
)
def test_one_action_is_best_everywhere_and_it_is_the_thermostats(
    depth: int, settings: dict[str, Any], best: list[int]
) -> None:
    policy = planner(World.of(Room(**settings).true_model()), depth=depth, discount=0.9)
    assert (policy.max(-1) == 1).all()
    assert policy.argmax(-1).tolist() == best


@pytest.mark.parametrize(("actions", "variance"), [([0] * 9, 80 / 12), ([1, 1, 1, 1, 0, 2, 2, 2, 2], 0.5)])
def test_the_variance_of_a_room_left_alone_and_of_a_thermostats(actions: list[int], variance: float) -> None:
    moves = Room(levels=9, rest=True).true_model()["B"][0]
    step = np.stack([moves[:, before, action] for before, action in enumerate(actions)])
    share = np.full(9, 1 / 9) @ np.linalg.matrix_power(step, 500)
    degrees = np.arange(9)
    assert share @ degrees**2 - (share @ degrees) ** 2 == pytest.approx(variance, abs=1e-9)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"levels": 1}, "levels must be a whole number of at least 2"),
        ({"levels": 2.5}, "levels must be a whole number of at least 2"),
        ({"setpoint": 7.5}, "setpoint must be a number of degrees from 0 to 7"),
        ({"setpoint": "warm"}, "setpoint must be a number of degrees from 0 to 7"),
        ({"noise": 1.5}, "noise must be a probability between 0 and 1"),
    ],
)
def test_what_makes_no_room_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Room(**settings)


def test_a_set_point_that_a_wrapper_spoils_is_refused_at_the_next_reset() -> None:
    env = Room()
    env.setpoint = -1.0
    with pytest.raises(ValueError, match="setpoint must be"):
        env.reset(seed=0)


def test_the_text_shows_the_scale_its_set_point_and_where_it_is() -> None:
    env = Room(levels=6, render_mode="ansi")
    env.reset(seed=0)
    env.temperature = 5
    assert env.render() == "..GG.@\n"
    env.setpoint = 1.2
    assert env.render() == ".G...@\n"


def test_the_picture_shows_one_tile_per_degree() -> None:
    env = Room(levels=6, noise=0.0, render_mode="rgb_array")
    env.reset(seed=0)
    env.temperature = 3
    before = env.render()
    env.step(HEAT)
    assert before.shape == (32, 192, 3)
    assert not np.array_equal(before, env.render())
