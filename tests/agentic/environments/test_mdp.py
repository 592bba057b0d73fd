"""A finite world as arrays, and planning in it."""

import numpy as np
import pytest

from agentic import UserError, World
from agentic.environments import check_probabilities

CHAIN = World(  # two places: going pays 3 and leads to the end, staying pays nothing
    np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]]),
    np.array([[0.0, 3.0], [5.0, 5.0]]),
    np.array([1.0, 0.0]),
    np.array([False, True]),
)


def test_values_are_bellman_backups_and_nothing_is_paid_at_the_end() -> None:
    np.testing.assert_array_equal(CHAIN.action_values(depth=1), [[0, 3], [0, 0]])
    np.testing.assert_array_equal(CHAIN.action_values(depth=3, discount=0.5), [[1.5, 3], [0, 0]])
    with pytest.raises(UserError, match="depth must be at least 1, got 0"):
        CHAIN.action_values(depth=0)


def test_the_policy_of_looking_ahead_shares_ties_evenly() -> None:
    np.testing.assert_array_equal(CHAIN.planned_policy(depth=1), [[0, 1], [0.5, 0.5]])
    np.testing.assert_array_equal(CHAIN.planned_policy(depth=2), [[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_array_equal(World.greedy_policy([[1, 1 + 1e-12, 0]]), [[0.5, 0.5, 0]])


@pytest.mark.parametrize("wrong", [[0.5, 0.6], [-0.5, 1.5], [np.nan, 1.0]])
def test_what_is_no_distribution_is_named(wrong: list[float]) -> None:
    with pytest.raises(UserError, match="start must be probabilities that sum to 1 along axis 0"):
        World(CHAIN.dynamics, CHAIN.rewards, np.array(wrong), CHAIN.ended)
    with pytest.raises(UserError, match="a table must be probabilities that sum to 1 along axis 1"):
        check_probabilities("a table", [wrong, [0.5, 0.5]], axis=-1)


def test_sums_may_miss_one_by_the_tolerance() -> None:
    check_probabilities("a law", [0.5, 0.5 + 1e-7], tolerance=1e-6)


def corridor(cells: int, pays: float = 1.0) -> World:
    """Left or right; the last cell pays and ends."""
    moves = np.zeros((cells, 2, cells))
    for s in range(cells - 1):
        moves[s, 0, max(0, s - 1)] = moves[s, 1, s + 1] = 1
    moves[-1, :, -1] = 1
    rewards, ended = np.zeros((cells, 2)), np.arange(cells) == cells - 1
    rewards[-2, 1] = pays
    return World(moves, rewards, np.eye(cells)[0], ended)


@pytest.mark.parametrize("pays", [1e-8, 1.0, 1e9])
@pytest.mark.parametrize("cells", [5, 190, 700])
def test_however_far_the_reward_and_whatever_its_unit_the_planner_goes_there(cells: int, pays: float) -> None:
    """At the far end of 700 cells it is worth 1e-32, and 19 % more on the right than on the left."""
    policy = corridor(cells, pays).planned_policy(depth=cells + 1, discount=0.9)
    np.testing.assert_array_equal(policy[:-1], np.tile([0.0, 1.0], (cells - 1, 1)))


def test_detours_that_are_worth_the_same_but_for_rounding_are_taken_alike() -> None:
    """Three payments in either order: 0.1 + 0.2 - 0.3 = 5.6e-17 and -0.3 + 0.2 + 0.1 = 0."""
    orders = [[0.1, 0.2, -0.3], [-0.3, 0.2, 0.1]]
    moves, rewards = np.zeros((6, 2, 6)), np.zeros((6, 2))
    for way, pays in enumerate(orders):
        rewards[0, way] = pays[0]
        moves[0, way, 1 + 2 * way] = moves[1 + 2 * way, :, 2 + 2 * way] = moves[2 + 2 * way, :, 5] = 1
        rewards[1 + 2 * way], rewards[2 + 2 * way] = pays[1], pays[2]
    moves[5, :, 5] = 1
    world = World(moves, rewards, np.eye(6)[0], np.arange(6) == 5)
    assert np.ptp(world.action_values(depth=3)[0]) > 0
    np.testing.assert_array_equal(world.planned_policy(depth=3)[0], [0.5, 0.5])


def test_rewards_are_numbers() -> None:
    with pytest.raises(UserError, match="rewards of a world must be finite"):
        World(CHAIN.dynamics, np.full((2, 2), np.nan), CHAIN.start, CHAIN.ended)
