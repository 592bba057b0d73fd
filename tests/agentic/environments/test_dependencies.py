"""What depends on what in a truth, and the same world without those lists."""

from typing import Any

import numpy as np
import pytest

from agentic.environments import Dependencies, check_truth, plain, spread
from agentic.environments.mdp import World
from agentic.environments.pomdp import Truth


def columns(source: np.random.Generator, *shape: int) -> Any:
    drawn = source.random(shape) + 0.05
    return drawn / drawn.sum(0)


def coupled(seed: int = 0) -> Truth:
    """Two factors of 2 and 3, the second moved by both and by a control of its own; two modalities."""
    source = np.random.default_rng(seed)
    return {
        "A": [columns(source, 3, 3), columns(source, 2, 3, 2)],
        "B": [columns(source, 2, 2, 2), columns(source, 3, 3, 2, 3)],
        "D": [columns(source, 2), columns(source, 3)],
        "rewards": source.normal(size=(2, 3, 6)),
        "ends": np.zeros((2, 3)),
        "dependencies": {"A": [[1], [1, 0]], "B": [[0], [1, 0]], "B_actions": [[0], [1]]},
    }


def test_factors_and_controls_that_interact_are_joined_entry_by_entry() -> None:
    truth = check_truth(coupled())
    joined = plain(truth)
    assert "dependencies" not in joined
    check_truth(joined)
    for x, y, u, v in np.ndindex(2, 3, 2, 3):
        for p, q in np.ndindex(2, 3):
            expected = truth["B"][0][p, x, u] * truth["B"][1][q, y, x, v]
            assert joined["B"][0][3 * p + q, 3 * x + y, 3 * u + v] == pytest.approx(expected, abs=1e-15)
        assert joined["rewards"][3 * x + y, 3 * u + v] == truth["rewards"][x, y, 3 * u + v]
        assert joined["D"][0][3 * x + y] == pytest.approx(truth["D"][0][x] * truth["D"][1][y])
        np.testing.assert_array_equal(joined["A"][0][:, 3 * x + y], truth["A"][0][:, y])
        np.testing.assert_array_equal(joined["A"][1][:, 3 * x + y], truth["A"][1][:, y, x])


def test_factors_that_do_not_interact_stay_apart() -> None:
    source = np.random.default_rng(1)
    truth: Truth = {
        "A": [columns(source, 4, 3), columns(source, 2, 2)],
        "B": [columns(source, 2, 2, 5), columns(source, 3, 3)],
        "D": [columns(source, 2), columns(source, 3)],
        "rewards": np.zeros((2, 3, 5)),
        "ends": np.zeros((2, 3)),
        "dependencies": {"A": [[1], [0]], "B_actions": [[0], []]},
    }
    simple = check_truth(plain(check_truth(truth)))
    assert [array.shape for array in simple["B"]] == [(2, 2, 5), (3, 3, 5)]
    assert [array.shape for array in simple["A"]] == [(4, 2, 3), (2, 2, 3)]
    assert World.of(truth).states == 6


def test_a_truth_without_lists_stays_the_same_object() -> None:
    joined = plain(coupled())
    assert plain(joined) is joined


def test_a_world_is_that_of_the_joined_truth() -> None:
    one, other = World.of(coupled(2)), World.of(plain(coupled(2)))
    np.testing.assert_array_equal(one.dynamics, other.dynamics)
    assert (one.states, one.actions) == (6, 6)


def test_spreading_repeats_along_what_does_not_matter() -> None:
    array = np.arange(12.0).reshape(2, 3, 2)
    wide = spread(array, (2, 0), (2, 4, 3))
    assert wide.shape == (2, 2, 4, 3)
    np.testing.assert_array_equal(wide[:, 1, 3], array[:, :, 1])


def test_worlds_whose_joint_state_is_out_of_reach_say_so() -> None:
    count = 30
    truth: Truth = {
        "A": [np.eye(2)] * count,
        "B": [np.repeat(np.eye(2)[:, :, None], 2, axis=2)] * count,
        "D": [np.array([1.0, 0.0])] * count,
        "rewards": np.broadcast_to(np.zeros(()), (*[2] * count, 2)),
        "ends": np.broadcast_to(np.zeros(()), [2] * count),
        "dependencies": {"A": [[f] for f in range(count)]},
    }
    with pytest.raises(ValueError, match="would hold 2,147,483,648 entries, more than 50,000,000"):
        plain(truth)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"A": [[1], [0, 1]]}, r"A\[1\] must have shape \(2, 2, 3\) to agree"),
        ({"B": [[0], [1]]}, r"B\[1\] expects 3 axes, got shape \(3, 3, 2, 3\)"),
        ({"B_actions": [[0], [0]]}, r"B\[1\] must have shape \(3, 3, 2, 2\) to agree"),
        ({"B_actions": [[0], [2]]}, "control 1 moves no factor"),
        ({"A": [[0]]}, "dependencies.A expects 2 lists, one per array, got 1"),
        ({"A": 3}, "dependencies.A expects a list of lists of indices, got 3"),
    ],
)
def test_lists_that_do_not_fit_are_named(given: Any, sentence: str) -> None:
    truth: Any = coupled()
    with pytest.raises(ValueError, match=sentence):
        check_truth(truth | {"dependencies": {**truth["dependencies"], **given}})


def test_rewards_have_a_column_per_joint_action() -> None:
    truth = coupled()
    with pytest.raises(ValueError, match=r"rewards must have shape \(2, 3, 6\)"):
        check_truth({**truth, "rewards": np.zeros((2, 3, 2))})


def test_sizes_of_axes() -> None:
    truth = coupled()
    form = Dependencies.read(truth["A"], truth["B"], truth["D"], truth["dependencies"])
    assert (form.factors, form.controls, form.separate) == ((2, 3), (2, 3), False)
    assert (form.shape_of_A(1), form.shape_of_B(1), form.parents_of_B(1)) == ((3, 2), (3, 2, 3), (1, 0, 3))
