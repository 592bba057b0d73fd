"""A world made from arrays: several factors that move each other, several controls, ends and rewards."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Discrete, MultiDiscrete
from gymnasium.utils.env_checker import check_env

from agentic import make
from agentic.environments.mdp import World
from agentic_envs.cuechain import CueChain
from agentic_envs.gridworld import GridWorld
from agentic_envs.pomdp import Pomdp
from agentic_envs.tiger import Tiger

ONE: dict[str, Any] = {"A": [[[1, 0], [0, 1]]], "B": [[[[1, 0], [0, 1]], [[0, 1], [1, 0]]]], "D": [[1, 0]]}


def coupled(source: np.random.Generator) -> dict[str, Any]:
    """Three factors of 2, 3 and 2, the second moved by the first, and two controls of 2 and 3."""

    def columns(*shape: int) -> Any:
        drawn = source.random(shape) + 0.05
        return drawn / drawn.sum(0)

    return {
        "A": [columns(3, 3, 2), columns(2, 2)],
        "B": [columns(2, 2, 2), columns(3, 3, 2, 3), columns(2, 2)],
        "D": [columns(2), columns(3), columns(2)],
        "rewards": source.normal(size=(2, 3, 2, 2, 3)),
        "ends": np.where(source.random((2, 3, 2)) < 0.2, 0.5, 0.0),
        "dependencies": {"A": [[1, 0], [2]], "B": [[0], [1, 0], [2]], "B_actions": [[0], [1], []]},
    }


def test_spaces_are_those_of_the_arrays() -> None:
    env = Pomdp(**coupled(np.random.default_rng(0)))
    assert (env.observation_space, env.action_space) == (MultiDiscrete([3, 2]), MultiDiscrete([2, 3]))
    check_env(env, skip_render_check=True)
    assert (Pomdp(**ONE).observation_space, Pomdp(**ONE).action_space) == (Discrete(2), Discrete(2))


def test_steps_are_drawn_from_the_arrays() -> None:
    given = coupled(np.random.default_rng(1))
    env = Pomdp(**given, steps=7)
    moved, sensed = [np.zeros_like(b) for b in given["B"]], [np.zeros_like(a) for a in given["A"]]
    ended, entered, choose = np.zeros((2, 3, 2)), np.zeros((2, 3, 2)), np.random.default_rng(2)
    env.reset(seed=3)
    for _ in range(20_000):
        (x, y, z), (u, v) = env.state, choose.integers((2, 3)).tolist()
        observation, reward, terminated, truncated, _ = env.step(np.array([u, v]))
        assert reward == given["rewards"][x, y, z, u, v]
        p, q, r = env.state
        moved[0][p, x, u] += 1
        moved[1][q, y, x, v] += 1
        moved[2][r, z] += 1
        sensed[0][observation[0], q, p] += 1
        sensed[1][observation[1], r] += 1
        entered[p, q, r] += 1
        ended[p, q, r] += terminated
        if terminated or truncated:
            env.reset()
    for counts, expected in zip([*moved, *sensed], [*given["B"], *given["A"]], strict=True):
        total = counts.sum(0)
        assert (np.abs(counts / total - expected) <= 4 * np.sqrt(expected * (1 - expected) / total)).all()
    chance = given["ends"]
    assert (np.abs(ended / entered - chance) <= 4 * np.sqrt(chance * (1 - chance) / entered)).all()


@pytest.mark.parametrize("env", [GridWorld(slip=0.2), Tiger(), CueChain()], ids=lambda env: type(env).__name__)
def test_the_truth_of_a_world_makes_the_same_world(env: Any) -> None:
    truth: Any = env.true_model()
    again = make(Pomdp(**truth)).truth()
    one, other = World.of(make(env).truth()), World.of(again)
    np.testing.assert_array_equal(one.dynamics, other.dynamics)
    np.testing.assert_array_equal(one.rewards, other.rewards)
    for a, b in zip(make(env).truth()["A"], again["A"], strict=True):
        np.testing.assert_array_equal(a, b)


def test_arrays_of_32_bits_are_taken_and_later_changes_of_them_are_not() -> None:
    likelihood = np.array([[0.9, 0.3], [0.1, 0.7]], dtype=np.float32)
    env = Pomdp(**{**ONE, "A": [likelihood]})
    likelihood[:] = 0.0
    seen = env.true_model()["A"][0]
    np.testing.assert_allclose(seen, [[0.9, 0.3], [0.1, 0.7]], atol=1e-7)
    np.testing.assert_allclose(seen.sum(0), 1.0, atol=1e-15)


def test_a_truth_that_is_changed_leaves_the_world_alone() -> None:
    env = Pomdp(**ONE)
    env.true_model()["A"][0][:] = 0.5
    assert env.true_model()["A"][0].tolist() == [[1, 0], [0, 1]]


def test_it_is_made_by_gymnasium_with_arrays_or_without() -> None:
    assert gymnasium.make("agentic/Pomdp-v0", **ONE).action_space == Discrete(2)
    assert gymnasium.make("agentic/Pomdp-v0").observation_space == Discrete(2)


def test_pictures_show_a_row_per_factor() -> None:
    env = Pomdp(**coupled(np.random.default_rng(0)), render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (96, 96, 3)
    text = Pomdp(**ONE, render_mode="ansi")
    text.reset(seed=0)
    assert text.render() == "state 0 | seen 0\n"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"A": None}, "A must be a list of arrays, one per modality or factor, got NoneType"),
        ({"B": "moves"}, "B must be a list of arrays, one per modality or factor, got str"),
        ({"A": []}, "A must be a list of arrays, one per modality or factor, got an empty one"),
        ({"D": [1.0]}, r"D\[0\] must be an array that holds numbers along every axis, got shape \(\)"),
        ({"B": [np.zeros((2, 2, 0))]}, r"B\[0\] must be an array .* got shape \(2, 2, 0\)"),
        ({"dependencies": [[0]]}, r"dependencies must be lists by name, .* got list"),
        ({"dependencies": {"A": [[0.5]]}}, r"dependencies.A expects a list of lists of indices, got \[\[0.5\]\]"),
        ({"D": [[1, [0]]]}, r"D\[0\] must be a rectangular array of numbers"),
        ({"A": [[[1, 0], [1, 1]]]}, r"the columns of A\[0\] must be probabilities"),
        ({"A": [[[1, 0, 0], [0, 1, 1]]]}, r"A\[0\] must have shape \(2, 2\)"),
        ({"rewards": [1.0, 2.0]}, r"rewards must have shape \(2, 2\) to agree with A, B and D, got \(2,\)"),
        ({"ends": [2.0, 0.0, 0.0]}, r"ends must have shape \(2,\)"),
        ({"dependencies": {"C": [[0]]}}, "dependencies has the keys A, B, B_actions, got 'C'"),
        ({"dependencies": {"A": [[1]]}}, r"dependencies.A\[0\] expects different indices below 1, got \[1\]"),
    ],
)
def test_what_makes_no_world_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Pomdp(**{**ONE, **changed})


@pytest.mark.parametrize("action", [2, [0, 0, 0], [0, 3], "left"])
def test_an_action_that_it_does_not_have_is_refused(action: Any) -> None:
    env = Pomdp(**coupled(np.random.default_rng(0)))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must be an element of MultiDiscrete\(\[2 3\]\)"):
        env.step(action)
