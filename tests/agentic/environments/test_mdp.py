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
