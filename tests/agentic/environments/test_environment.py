"""The Gymnasium boundary: spaces in and out, every way of resetting, and what goes wrong."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from agentic import Box, Real, RunError, Simplex, UserError, make
from agentic.engine.domain import Product
from tests.agentic.worlds import Echo, Walk

FLOATS = spaces.Box(-1, 1, (2, 3), np.float32)
UNBOUNDED = spaces.Box(-np.inf, np.inf, (2,), np.float64)
BYTES = spaces.Box(0, 255, (2, 2), np.uint8)
SPACES: list[tuple[spaces.Space[Any], type, int]] = [
    (spaces.Discrete(4), Simplex, 4),
    (spaces.Discrete(3, start=-1), Simplex, 3),
    (spaces.MultiDiscrete([5, 3]), Simplex, 8),
    (spaces.MultiDiscrete(np.array([[2, 3], [4, 2]]), start=np.array([[1, 0], [2, -1]])), Simplex, 11),
    (spaces.MultiBinary(3), Simplex, 6),
    (FLOATS, Box, 6),
    (UNBOUNDED, Real, 2),
    (BYTES, Box, 4),
    (spaces.Box(0, 1, (), np.float32), Box, 1),
    (spaces.Dict({"b": spaces.Discrete(2), "a": spaces.MultiDiscrete([3, 2])}), Simplex, 7),
    (spaces.Dict({"a": UNBOUNDED, "b": spaces.Tuple([UNBOUNDED])}), Real, 4),
    (spaces.Tuple([spaces.Discrete(2), spaces.Dict({"x": FLOATS, "y": BYTES})]), Product, 12),
]
BOOL: Any = np.bool_
NAMES = [str(space)[:40].replace("\n", " ") for space, _, _ in SPACES]
BATCHES = [1, 3, 20]  # few rows and many go different ways


def flat(value: Any) -> list[np.ndarray]:
    if isinstance(value, dict):
        return [leaf for key in value for leaf in flat(value[key])]
    if isinstance(value, tuple):
        return [leaf for part in value for leaf in flat(part)]
    return [np.asarray(value)]


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize(("space", "kind", "size"), SPACES, ids=NAMES)
def test_observations_and_actions_come_back_from_the_round_trip(
    space: spaces.Space[Any], kind: type, size: int, batch: int
) -> None:
    envs = [Echo(space, space) for _ in range(batch)]
    env = make(envs)
    assert isinstance(env.observation, kind)
    assert env.observation.event == env.action.event == (size,)
    native = env.reset(range(batch))
    for dtype in (torch.float32, torch.float64):
        code = env.encode(native, dtype)
        assert code.dtype is dtype
        assert code.shape == (batch, size)
        torch.testing.assert_close(env.observation.project(code), code)
        action = env.decode(code)
        for array, original in zip(action, native, strict=True):
            assert array.dtype == original.dtype
            np.testing.assert_allclose(array, original, rtol=1e-6 if dtype is torch.float32 else 0)
    env.step(action)
    for echo in envs:
        for done, seen in zip(flat(echo.done[0]), flat(echo.seen[0]), strict=True):
            np.testing.assert_array_equal(done, seen)


@pytest.mark.parametrize(("space", "kind", "size"), SPACES, ids=NAMES)
def test_random_draws_lie_in_the_space(space: spaces.Space[Any], kind: type, size: int) -> None:
    env = make([Echo(space, space) for _ in range(3)])
    env.reset(range(3))
    drawn = env.action.draw(3, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    drawn = drawn.round() if "uint8" in str(space) and kind is Box else drawn
    env.step(env.decode(drawn))  # the environment itself asserts that it contains them


def test_a_dict_observation_is_native_as_a_mapping_of_dotted_names() -> None:
    space = spaces.Dict({"inner": spaces.Dict({"x": FLOATS}), "n": spaces.Discrete(3)})
    env = make(Echo(space, spaces.Discrete(2)))
    assert list(env.observation_layout.native(env.reset([0]))) == ["inner.x", "n"]


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize(
    ("space", "values", "message"),
    [
        (spaces.Discrete(3), [0.0, 0.5, 0.5], "not one-hot"),
        (spaces.Discrete(3), [0.0, 0.0, 0.0], "not one-hot"),
        (spaces.Discrete(3), [1.0, 1.0, 0.0], "not one-hot"),
        (spaces.Discrete(3), [1.0, np.nan, 0.0], "not one-hot"),
        (spaces.MultiDiscrete([3, 3]), [1.0, 0.0, 1.0, 0.0, 0.0, 0.0], "not one-hot"),
        (spaces.MultiDiscrete([3, 3]), [0.0, 0.0, 0.0, 1.0, 0.0, 1.0], "not one-hot"),
        (FLOATS, [0.0] * 5 + [1.1], "outside the bounds"),
        (FLOATS, [0.0] * 5 + [np.nan], "outside the bounds"),
        (UNBOUNDED, [0.0, np.inf], "not finite"),
        (UNBOUNDED, [0.0], "shape"),
    ],
)
def test_an_action_that_is_none_fails_the_run(
    space: spaces.Space[Any], values: list[float], message: str, batch: int
) -> None:
    env = make([Echo(FLOATS, space) for _ in range(batch)])
    with pytest.raises(RunError, match=message):
        env.decode(torch.tensor([values] * batch))


def test_of_many_actions_the_one_that_is_none_is_shown() -> None:
    env = make([Echo(FLOATS, spaces.Box(-1, 1, (1,))) for _ in range(4)])
    with pytest.raises(RunError, match=r"action \[1.5\] must be clipped first: it lies outside the bounds of Box"):
        env.decode(torch.tensor([[0.0], [1.0], [1.5], [-1.0]]))


def test_the_rounding_of_a_cast_is_forgiven() -> None:
    env = make(Echo(FLOATS, spaces.Box(-0.1, 0.1, (1,), np.float64)))
    (action,) = env.decode(torch.tensor([[0.1]]))
    assert action.item() == 0.1


def test_unsupported_spaces_are_named_before_anything_runs() -> None:
    with pytest.raises(
        UserError, match=r"the observation space of Echo holds Text\(1, 5,.*not supported: expected Box"
    ):
        make(Echo(spaces.Dict({"words": spaces.Text(5)}), FLOATS))
    with pytest.raises(UserError, match="the action space of Echo holds Sequence"):
        make(Echo(FLOATS, spaces.Sequence(FLOATS)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"id": "CartPol-v1"}, "unknown environment 'CartPol-v1'; did you mean CartPole-v1.*come from .*gymnasium"),
        ({"id": "CartPole-v99"}, "unknown environment 'CartPole-v99'"),
        ({"id": "Zxqv"}, "see `agentic envs`"),
        ({"id": "no_such_module:Env-v0"}, "needs the module 'no_such_module'"),
        ({"id": "CartPole-v1", "kwargs": {"nonsense": 1}}, "cannot be made with {'nonsense': 1}"),
        ({"id": "CartPole-v1", "envs": 0}, "at least 1, got 0"),
        ({"id": [Walk(), Walk()], "envs": 3}, "envs = 3, but 2 made environments"),
        ({"id": 3}, "expected an id"),
        ({"id": []}, "expected an id"),
        ({"id": [Walk(), Echo(FLOATS, FLOATS)]}, "equal spaces"),
        ({"id": [Walk()], "kwargs": {"at": 1}}, r"kwargs = {'at': 1} make nothing here: .* this list is made already"),
        ({"id": Walk(), "kwargs": {"at": 1}}, "this Walk is made already"),
        ({"id": SyncVectorEnv([Walk] * 2), "envs": 3}, "envs = 3, but SyncVectorEnv has 2 rows: leave envs out"),
        ({"id": [SyncVectorEnv([Walk])]}, "a SyncVectorEnv is no single environment"),
        ({"id": lambda: SyncVectorEnv([Walk])}, "a SyncVectorEnv is no single environment"),
    ],
)
def test_what_cannot_be_made_is_the_users_mistake(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make(**arguments)


def test_whatever_somebody_made_is_taken() -> None:
    env = make("CartPole-v1", envs=2)
    assert (env.id, env.batch) == ("CartPole-v1", 2)
    assert make(env) is env
    assert make(Walk, envs=3).batch == 3
    assert make(lambda: Walk(at=1)).id == "Walk"
    assert make(SyncVectorEnv([Walk, Walk])).batch == 2
    changed = make(Walk, envs=2, changes=[lambda one: gymnasium.wrappers.TimeLimit(one, 2)])
    rows = [changed.reset([0, 1])]
    for _ in range(2):
        step = changed.step((np.zeros(2, np.int64),))
        rows.append(step.next_obs)
    assert step.truncated.all()
    with pytest.raises(UserError, match="single environments"):
        make(SyncVectorEnv([Walk]), changes=[gymnasium.Wrapper])


def test_vector_environments_of_gymnasium_are_taken() -> None:
    for vector in (AsyncVectorEnv([Walk, Walk]), SyncVectorEnv([Walk, Walk]), gymnasium.make_vec("CartPole-v1", 2)):
        env = make(vector, envs=2)
        native = env.reset([0, 1])
        assert len(env.step((np.zeros(2, np.int64),)).next_obs[0]) == len(native[0]) == 2
        env.close()


def test_an_id_without_a_version_is_its_newest() -> None:
    with pytest.warns(UserWarning, match="latest versioned environment `CartPole-v1`"):
        assert make("CartPole").id == "CartPole-v1"
    with pytest.raises(UserError, match="unknown environment 'CartPol'; did you mean CartPole"):
        make("CartPol")


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(0, 2**63 - 1, (2,), np.int64),
        spaces.Box(0, 2**64 - 1, (2,), np.uint64),
        spaces.Box(-(2**31), 2**31 - 1, (2,), np.int32),
        spaces.Box(0, 1, (2,), BOOL),
        spaces.Discrete(3, start=2**63 - 3),
        spaces.Discrete(3, start=-(2**63)),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ends_of_integer_types_stay_in_the_space(space: spaces.Space[Any], dtype: torch.dtype) -> None:
    env = make(Echo(FLOATS, space))
    if isinstance(env.action, Box):
        ends = [env.action.high, env.action.low]
    else:
        ends = [*env.action.center(1)[0].ceil().diag()]
    for end in ends:
        (action,) = env.decode(end.to(dtype)[None])
        assert space.contains(action[0]), (action, space)
    env.reset([0])
    drawn = env.action.draw(1, generator=torch.Generator().manual_seed(0), dtype=dtype)
    env.step(env.decode(drawn))


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(3, start=2**63 - 2),
        spaces.MultiDiscrete([2, 3], start=[0, 2**63 - 2]),
        spaces.Discrete(2**40),
        spaces.Dict({"a": spaces.MultiDiscrete([2**23, 2**24])}),
    ],
    ids=str,
)
def test_too_many_values_are_refused(space: spaces.Space[Any]) -> None:
    with pytest.raises(UserError, match="has more than 16,777,216 values to tell apart, or some beyond 64 bits"):
        make(Echo(FLOATS, space))


def test_a_vector_environment_must_say_how_it_resets() -> None:
    vector = SyncVectorEnv([Walk])
    del vector.metadata["autoreset_mode"]
    with pytest.raises(UserError, match="does not say how it resets"):
        make(vector)


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("nan", r"Walk, row 1, episode 0, step 2: the observation holds \[nan, nan\], which is not finite"),
        ("reward", "Walk, row 1, episode 0, step 2: the reward is inf"),
        ("shape", r"Walk, row 1, episode 0, step 2: the observation has shape \(3,\) where its space has \(2,\)"),
        ("raise", "row 1, episode 0, step 2: the environment raised ZeroDivisionError: the motor is broken"),
    ],
)
def test_a_broken_environment_is_one_sentence(trouble: str, message: str) -> None:
    env = make([Walk(), Walk(trouble)])
    env.reset([0, 1])
    action = (np.zeros(2, np.int64),)
    env.step(action)
    env.step(action)
    with pytest.raises(RunError, match=message) as caught:
        env.step(action)
    assert "\n" not in str(caught.value)
    if trouble == "raise":
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_discrete_observation_out_of_range_fails_the_run() -> None:
    echo = Echo(spaces.Discrete(3), spaces.Discrete(2))
    env = make(echo)
    echo.observation_space = spaces.Discrete(3, start=3)
    with pytest.raises(RunError, match="which is outside its space"):
        env.reset([0])


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_broken_vector_environment_is_one_sentence(mode: AutoresetMode) -> None:
    env = make(SyncVectorEnv([Walk, lambda: Walk("nan")], autoreset_mode=mode))
    env.reset([0, 1])
    action = (np.zeros(2, np.int64),)
    env.step(action)
    env.step(action)
    with pytest.raises(RunError, match="row 1, episode 0, step 2: the observation holds"):
        env.step(action)


def test_rows_go_on_with_their_own_generator() -> None:
    walk = Walk()
    env = make(walk)
    starts = [env.reset([7])[0][0, 0]]
    for _ in range(3):
        step = env.step((np.ones(1, np.int64),))
    starts.append(env.restart(step.begins)[0][0, 0])  # type: ignore[arg-type]
    reference = Walk()
    again: list[Callable[[], Any]] = [lambda: reference.reset(seed=7), reference.reset]
    assert starts == [reset()[0][0] for reset in again]


def test_a_world_that_breaks_while_it_is_made_is_one_sentence() -> None:
    def broken() -> Any:
        raise LookupError("no world")

    with pytest.raises(RunError, match="broke while being made, LookupError: no world"):
        make(broken)
