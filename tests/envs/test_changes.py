"""The wrappers that change the world: what they do, what they leave alone and what they refuse."""

import pickle
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from gymnasium.utils.env_checker import check_env

from agentic import make
from agentic_envs.changes import HideObservations, RemapActions, SensorNoise, SetAttributes
from agentic_envs.gridworld import EAST, WEST, GridWorld
from agentic_envs.tiger import LISTEN, Tiger
from agentic_envs.tmaze import CUE, TMaze

WRAPPED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "remapped": ("CartPole-v1", lambda env: RemapActions(env, order=[1, 0])),
    "reversed": ("Pendulum-v1", lambda env: RemapActions(env, order=[0], signs=[-1])),
    "longer pole": ("CartPole-v1", lambda env: SetAttributes(env, length=1.0, polemass_length=0.1)),
    "hidden": ("CartPole-v1", lambda env: HideObservations(env, keep=[2, 0])),
    "noisy": ("Pendulum-v1", lambda env: SensorNoise(env, scale=[0.1, 0.1, 1.0])),
    "remapped maze": ("agentic/TMaze-v0", lambda env: RemapActions(env, order=[0, 2, 1, 3])),
}


class Levers(gymnasium.Env[Any, Any]):
    """Shows the action that was executed; for tests."""

    def __init__(self, action_space: Any) -> None:
        self.action_space = action_space
        self.observation_space = Box(-10.0, 10.0, (3,))
        self.count, self.label, self.shape, self.table, self.fixed = 2, "a", (1, 2), np.zeros((2, 2)), True

    @property
    def double(self) -> int:
        return 2 * self.count

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(3, dtype=np.float32), {}

    def step(self, action: Any) -> Any:
        return np.zeros(3, dtype=np.float32), 0.0, False, False, {"executed": action}


def complaints(env: Any) -> set[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(env, skip_render_check=True)
    texts = {str(item.message) for item in caught}
    return {text for text in texts if "different from the unwrapped version" not in text}


@pytest.mark.parametrize("name", list(WRAPPED))
def test_gymnasium_complains_no_more_than_about_the_environment_inside(name: str) -> None:
    identifier, wrap = WRAPPED[name]
    inside = complaints(gymnasium.make(identifier).unwrapped)
    assert complaints(wrap(gymnasium.make(identifier).unwrapped)) <= inside


@pytest.mark.parametrize("name", list(WRAPPED))
def test_a_pickled_spec_makes_the_same_world_again(name: str) -> None:
    identifier, wrap = WRAPPED[name]
    env = wrap(gymnasium.make(identifier))
    again = gymnasium.make(pickle.loads(pickle.dumps(env.spec)))
    assert type(again) is type(env)
    assert again.action_space == env.action_space
    assert again.observation_space == env.observation_space
    env.reset(seed=1)
    again.reset(seed=1)
    env.action_space.seed(0)
    for _ in range(5):
        action = env.action_space.sample()
        np.testing.assert_array_equal(env.step(action)[0], again.step(action)[0])


def test_discrete_actions_are_executed_in_the_new_order() -> None:
    env = RemapActions(Levers(Discrete(3)), order=[2, 0, 1])
    assert [env.step(action)[4]["executed"] for action in range(3)] == [2, 0, 1]
    shifted = RemapActions(Levers(Discrete(3, start=5)), order=[2, 0, 1])
    assert [shifted.step(action)[4]["executed"] for action in (5, 6, 7)] == [7, 5, 6]
    assert all(shifted.env.action_space.contains(shifted.action(action)) for action in (5, 6, 7))


def test_box_components_drive_other_actuators_within_their_bounds() -> None:
    low, high = np.array([-1, 0, -3], dtype=np.float32), np.array([2, 5, 4], dtype=np.float32)
    env: Any = RemapActions(Levers(Box(low, high)), order=[1, 2, 0], signs=[1, -1, 1])
    assert env.step(np.array([4.0, 3.0, -0.5], dtype=np.float32))[4]["executed"].tolist() == [-0.5, 4.0, -3.0]
    assert env.action_space.low.tolist() == [0, -4, -1]
    assert env.action_space.high.tolist() == [5, 3, 2]
    assert env.action_space.dtype == np.float32


def test_remapped_actions_remap_the_truth() -> None:
    env = RemapActions(GridWorld("S.G\n...", slip=0.2), order=[0, 1, WEST, EAST, 4])
    inside, outside = make(env.unwrapped).truth(), make(env).truth()
    np.testing.assert_array_equal(outside["B"][0][..., EAST], inside["B"][0][..., WEST])
    np.testing.assert_array_equal(outside["rewards"][:, WEST], inside["rewards"][:, EAST])
    assert not np.array_equal(outside["B"][0], inside["B"][0])


def test_attributes_are_set_in_the_innermost_environment() -> None:
    env: Any = SetAttributes(gymnasium.make("CartPole-v1"), length=1, polemass_length=0.1)
    plain: Any = gymnasium.make("CartPole-v1")
    assert env.unwrapped.length == 1.0
    assert isinstance(env.unwrapped.length, float)
    assert np.array_equal(env.reset(seed=0)[0], plain.reset(seed=0)[0])
    pushed, reference = env.step(1)[0], plain.step(1)[0]
    assert abs(pushed[3]) < abs(reference[3])  # a longer pole turns more slowly


def test_changed_attributes_change_the_truth() -> None:
    assert make(SetAttributes(TMaze(), validity=0.6)).truth()["A"][0][3, CUE, 0] == 0.6
    walls = [[False, True], [False, False]]
    grid = SetAttributes(GridWorld((2, 2)), walls=walls)
    assert make(grid).truth()["B"][0][0, 0, EAST] == 1.0
    assert {grid.reset(seed=s)[0] for s in range(30)} == {0, 2, 3}


def test_our_environments_check_changed_numbers_at_reset() -> None:
    env = SetAttributes(Tiger(), hearing=1.5)
    with pytest.raises(ValueError, match="hearing must be a probability"):
        env.reset(seed=0)


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"counts": 3}, r"Levers has no attribute 'counts': use one of its own, such as count"),
        ({"count": 3.5}, r"count of Levers must be of type int as it is now \(2\), got 3.5 of type float"),
        ({"count": True}, r"count of Levers must be of type int"),
        ({"fixed": 1}, r"fixed of Levers must be of type bool"),
        ({"label": 3}, r"label of Levers must be of type str"),
        (
            {"table": [1.0, 2.0]},
            r"table of Levers must be an array of shape \(2, 2\) and type float64, got shape \(2,\)",
        ),
        ({"double": 8}, r"double of Levers is computed and cannot be set"),
        ({"reset": 8}, r"reset of Levers must be of type method"),
    ],
)
def test_attributes_that_do_not_fit_are_refused(attributes: dict[str, Any], sentence: str) -> None:
    env = Levers(Discrete(2))
    with pytest.raises(ValueError, match=sentence):
        SetAttributes(env, **attributes)
    assert (env.count, env.label, env.fixed) == (2, "a", True)


def test_values_from_a_text_file_are_brought_to_the_type_that_is_there() -> None:
    env = Levers(Discrete(2))
    SetAttributes(env, shape=[3, 4], table=[[1, 2], [3, 4]], label="b", count=np.int64(7), fixed=False)
    assert (env.shape, env.label, env.count, env.fixed) == ((3, 4), "b", 7, False)
    assert type(env.count) is int
    assert env.table.dtype == np.float64
    assert env.table.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_hidden_components_are_gone_from_space_and_observation() -> None:
    plain, env = gymnasium.make("CartPole-v1"), HideObservations(gymnasium.make("CartPole-v1"), keep=[2, 0])
    full: Any = plain.reset(seed=3)[0]
    assert np.array_equal(env.reset(seed=3)[0], full[[2, 0]])
    space: Any = plain.observation_space
    assert env.observation_space == Box(space.low[[2, 0]], space.high[[2, 0]])


def noisy_run(scale: float, seed: int | None, env: Any = None) -> Any:
    env = SensorNoise(gymnasium.make("Pendulum-v1"), scale=scale) if env is None else env
    seen = [env.reset(seed=seed)[0]]
    seen += [env.step(np.zeros(1, dtype=np.float32))[0] for _ in range(50)]
    return np.array(seen), env.unwrapped.state.copy()


def test_noise_repeats_with_the_seed_and_leaves_the_world_alone() -> None:
    first, state = noisy_run(0.3, 5)
    again, _ = noisy_run(0.3, 5)
    quiet, quiet_state = noisy_run(0.0, 5)
    other, _ = noisy_run(0.3, 6)
    assert np.array_equal(first, again)
    assert np.array_equal(state, quiet_state)
    assert not np.array_equal(first, quiet)
    assert not np.array_equal(first - quiet, other - quiet)


def test_noise_continues_at_a_reset_without_a_seed_and_begins_anew_with_one() -> None:
    env = SensorNoise(Levers(Discrete(2)), scale=1.0)
    draws = [env.reset(seed=seed)[0].tolist() for seed in (1, None, 1)]
    assert draws[0] == draws[2]
    assert draws[0] != draws[1]


def test_noise_has_the_scale_asked_for_and_saturates_at_the_bounds() -> None:
    env = SensorNoise(Levers(Discrete(2)), scale=[0.0, 0.5, 100.0])
    env.reset(seed=0)
    seen = np.array([env.step(0)[0] for _ in range(4000)])
    assert seen.dtype == np.float32
    assert (seen[:, 0] == 0).all()
    assert abs(seen[:, 1].std() - 0.5) < 4 * 0.5 / np.sqrt(2 * 4000)
    assert np.abs(seen[:, 2]).max() == 10.0


@pytest.mark.parametrize(
    ("wrap", "sentence"),
    [
        (lambda: RemapActions(TMaze(), order=[0, 1, 1, 2]), r"order must hold each of 0 to 3 once, got \[0, 1, 1, 2\]"),
        (lambda: RemapActions(TMaze(), order=[3, 2, 1, 0], signs=[1] * 4), r"signs must be None for a Discrete"),
        (lambda: RemapActions(gymnasium.make("Pendulum-v1"), order=[0], signs=[2]), r"signs must be 1 numbers 1 or -1"),
        (lambda: RemapActions(Levers(Box(-1, 1, (2, 2))), order=[0]), r"needs a Discrete or a one-dimensional Box"),
        (lambda: HideObservations(TMaze(), keep=[0]), r"HideObservations needs a one-dimensional Box .* MultiDiscrete"),
        (lambda: HideObservations(Levers(Discrete(2)), keep=[0, 3]), r"keep must hold different indices from 0 to 2"),
        (lambda: HideObservations(Levers(Discrete(2)), keep=[]), r"at least one, got \[\]"),
        (lambda: SensorNoise(Tiger(), scale=1.0), r"SensorNoise needs a Box observation space of floats, got Discrete"),
        (lambda: SensorNoise(Levers(Discrete(2)), scale=-1.0), r"scale must be numbers of at least 0"),
        (lambda: SensorNoise(Levers(Discrete(2)), scale=[1.0, 2.0]), r"that broadcast to \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused(wrap: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        wrap()


def test_a_listener_behind_remapped_actions_still_listens() -> None:
    env = RemapActions(Tiger(), order=[1, 0, 2])
    env.reset(seed=0)
    assert env.step(1)[1] == -1.0
    assert make(env).truth()["rewards"][0, 0].tolist() == [-100.0, -1.0, 10.0]
    assert env.action(1) == LISTEN
