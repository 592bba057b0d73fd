"""Third parties' environments: what they write to, what they return and how they leave."""

import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from torch import Tensor

from agentic import Agent, Decision, RunError, Schedule, UserError, make, run
from agentic.environments.spaces import layout as layout_of
from agentic.errors import CloseWarning, ThirdPartyWarning

PLANE = spaces.Box(-4, 4, (2,), np.float64)
BOTH = spaces.Dict({"push": spaces.Box(-1, 1, (2,), np.float32), "gears": spaces.MultiDiscrete([3, 4])})


class Buffered(gymnasium.Env[Any, Any]):
    """Writes to the action it is given, and returns one buffer that it writes to again."""

    def __init__(self, action_space: spaces.Space[Any] = PLANE) -> None:
        self.observation_space, self.action_space = PLANE, action_space
        self.buffer = np.zeros(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.buffer[:] = 0
        return self.buffer, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        for part in action.values() if isinstance(action, dict) else [action]:
            part[...] = 0
        self.buffer += 1
        return self.buffer, 0.0, False, self.buffer[0] == 3, {}


class BufferedRows(VectorEnv[Any, Any, Any]):
    """The same as a vector environment of two rows."""

    def __init__(self) -> None:
        self.num_envs, self.metadata = 2, {"autoreset_mode": AutoresetMode.DISABLED}
        self.single_observation_space: spaces.Space[Any] = PLANE
        self.single_action_space: spaces.Space[Any] = BOTH
        self.buffer = np.zeros((2, 2))
        self.reward, self.end = np.zeros(2), np.zeros(2, bool)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        mask = (options or {}).get("reset_mask", np.ones(2, bool))
        self.buffer[mask] = 0
        mask[:] = False
        return self.buffer, {}

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        for part in action.values():
            part[...] = 0
        self.buffer += 1
        self.reward += 1
        self.end[:] = self.buffer[:, 0] == 3
        return self.buffer, self.reward, self.end, np.zeros(2, bool), {}


class Writer(Agent):
    """Takes the upper corner of every domain; writes to what it sees, and to what it answered before."""

    def __init__(self, action: Tensor) -> None:
        self.action = action

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        obs.fill_(9)
        return Decision(self.action.expand(len(obs), -1), state)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "env",
    [
        Buffered,
        lambda: make(Buffered, envs=3),
        lambda: Buffered(BOTH),
        lambda: SyncVectorEnv([lambda: Buffered(BOTH)] * 2, autoreset_mode=AutoresetMode.DISABLED, copy=False),
        BufferedRows,
    ],
)
def test_the_record_is_not_falsified_by_who_writes_to_arrays(env: Callable[[], Any], dtype: torch.dtype) -> None:
    plain = make(env()).action.size == 2
    action = torch.tensor([4.0, 4.0] if plain else [0, 1, 0, 0, 0, 0, 1, 1.0, 1.0], dtype=dtype)
    for episode in run(Writer(action), env(), Schedule(episodes=4), dtype=dtype).episodes():
        assert episode.arrays["obs"][:, 0].tolist() == [0, 1, 2]
        assert episode.arrays["next_obs"][:, 1].tolist() == [1, 2, 3]
        if plain:
            assert (episode.arrays["action"] == 4).all()
        else:
            assert (episode.arrays["action.push"] == 1).all()
            assert (episode.arrays["action.gears"] == [1, 3]).all()


class Returns(gymnasium.Env[Any, Any]):
    """Returns what it is told to; every episode is one step."""

    def __init__(self, space: spaces.Space[Any], value: Any, outcome: Any = (0.0, True, False, {})) -> None:
        self.observation_space, self.action_space = space, spaces.Discrete(2)
        self.value, self.outcome = value, outcome

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.value, {}

    def step(self, action: Any) -> Any:
        return self.outcome if self.outcome is None else (self.value, *self.outcome)


ACTION = (np.zeros(1, np.int64),)
SHORT = spaces.Box(-9, 9, (2,), np.int16)


@pytest.mark.parametrize(
    ("space", "value", "message"),
    [
        (SHORT, np.array([70000, 0]), "holds 70000, which is no value of its type int16"),
        (SHORT, [0.25, 1], "holds 0.25, which"),
        (SHORT, np.array([np.nan, 1]), "holds nan, which"),
        (spaces.Discrete(4), 2.5, "holds 2.5, which"),
        (spaces.Discrete(4), 4.0, "holds 4, which is outside its space"),
        (spaces.Discrete(4), np.uint64(2**63), "holds 9223372036854775808, which"),
        (spaces.Discrete(4), 2**70, "of type object"),
        (spaces.Discrete(4), "2", "of type <U1"),
        (spaces.Discrete(4), None, "is a NoneType"),
        (spaces.MultiBinary(2), np.array([256, 1]), "holds 256, which"),
        (spaces.MultiDiscrete([3, 3]), np.array([1.0, 1.5]), "holds 1.5, which"),
        (spaces.Box(-np.inf, np.inf, (1,), np.float32), np.array([1e200]), "holds 1e.200, which"),
        (spaces.Box(-1, 1, (1,), np.float64), np.array([1j]), "of type complex128"),
        (spaces.Box(-1, 1, (2,), np.float64), [[1, 2], [3]], "is no array, ValueError"),
        (spaces.Dict({"x": spaces.Discrete(2), "y": spaces.Discrete(2)}), {"x": 0}, "lacks the key 'y', it is a dict"),
        (spaces.Tuple([spaces.Discrete(2), spaces.Discrete(2)]), (1,), "lacks the key 1, it is a tuple"),
        (spaces.Dict({"x": spaces.Discrete(2)}), None, "lacks the key 'x', it is a NoneType"),
    ],
)
def test_a_cast_that_loses_value_is_an_error(space: spaces.Space[Any], value: Any, message: str) -> None:
    with pytest.raises(RunError, match=f"Returns, (row 0, )?episode 0, step 0: the observation.*{message}"):
        make(Returns(space, value)).reset([0])


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (SHORT, np.array([3.0, -2.0])),
        (spaces.Discrete(4), np.float32(2)),
        (spaces.Discrete(4), True),
        (spaces.Discrete(4), np.array(3, np.uint8)),
        (spaces.Box(-1, 1, (2,), np.float32), np.array([0.1, 0.2])),
        (spaces.Box(-1, 1, (2,), np.float64), [0, 1]),
        (spaces.Box(-1, 1, (2,), np.float32), torch.tensor([0.5, 0.25])),
    ],
)
def test_a_cast_that_keeps_the_value_is_none(space: spaces.Space[Any], value: Any) -> None:
    (native,) = make(Returns(space, value)).reset([0])
    assert native.dtype == space.dtype
    np.testing.assert_array_equal(native[0], np.asarray(value).astype(native.dtype))


class FractionalRows(BufferedRows):
    """Observes fractions where its space has whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.single_observation_space = SHORT

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return np.full((2, 2), 1.5), {}


def test_a_cast_in_a_vector_environment_is_looked_at_too() -> None:
    env = make(FractionalRows())
    with pytest.raises(RunError, match=r"FractionalRows, episode 0, step 0: the observation holds 1\.5"):
        env.reset([0, 1])


def test_floats_outside_their_bounds_are_kept_and_reported_once_per_leaf() -> None:
    space = spaces.Dict({name: spaces.Box(-1, 1, (40,), np.float32) for name in ("near", "far", "in")})
    near = np.full(40, np.nextafter(np.float32(1), np.float32(2)))
    env = Returns(space, {"near": near, "far": np.full(40, -3, np.float32), "in": np.ones(40, np.float32)})
    with pytest.warns(ThirdPartyWarning) as warned:
        record = run(Writer(torch.tensor([1.0, 0.0])), env, Schedule(episodes=3))
    assert [str(each.message)[:70] for each in warned] == [
        f"Returns, row 0, episode 0, step 0: the observation {name} leaves the boun"[:70]
        for name in ("'far'", "'near'")
    ]
    assert all((episode.arrays["obs.near"] == near).all() for episode in record.episodes())


@pytest.mark.parametrize(("value", "warns"), [([1.0, 2.0], False), ([1.0, 2.0000002], True), ([-5e37, -7.0], False)])
def test_one_sided_bounds_are_looked_at_where_they_are(value: list[float], warns: bool) -> None:
    space = spaces.Box(np.array([-np.inf, -np.inf], np.float32), np.array([np.inf, 2], np.float32), dtype=np.float32)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        make(Returns(space, np.array(value, np.float32))).reset([0])
    assert bool(warned) == warns


ANY_TYPE: Any = np.bool_  # Gymnasium's signature lacks it
WHOLE = [
    spaces.Box(-1, 2, (3,), np.int64),
    spaces.Box(0, 3, (2, 2), np.uint8),
    spaces.Box(0, 1, (2,), ANY_TYPE),
    spaces.Box(4, np.inf, (1,), np.int32),
    spaces.Box(-np.inf, 4, (1,), np.int32),
    spaces.Box(-np.inf, np.inf, (2,), np.int64),
    spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([2, 3], start=[1, -5]),
    spaces.MultiBinary(3),
]


@pytest.mark.parametrize("space", WHOLE, ids=str)
def test_draws_of_whole_numbers_follow_gymnasiums_law(space: spaces.Space[Any]) -> None:
    world, count = make([Returns(space, None)]), 20_000
    layout = layout_of(space, "it")
    drawn = layout.domain.draw(count, generator=torch.Generator().manual_seed(1), dtype=torch.float32)
    (ours,) = layout.decode(drawn, count)
    space.seed(2)
    theirs = np.stack([space.sample() for _ in range(count)])
    values = np.unique(np.concatenate([ours.ravel(), theirs.ravel()]))
    assert world.observation.event == layout.domain.event
    for value in values:
        assert abs((ours == value).mean() - (theirs == value).mean()) < 0.015


@pytest.mark.parametrize(
    ("space", "name"),
    [
        (spaces.Dict({"a.b": PLANE, "a": spaces.Dict({"b": SHORT})}), "a.b"),
        (spaces.Dict({"a": spaces.Tuple([PLANE]), "a.0": PLANE}), "a.0"),
        (spaces.Dict({"a": spaces.Dict({"b.c": PLANE}), "a.b": spaces.Dict({"c": PLANE})}), "a.b.c"),
    ],
)
def test_leaves_of_one_name_are_refused(space: spaces.Space[Any], name: str) -> None:
    with pytest.raises(UserError, match=f"the observation space of Returns has two entries named '{name}': rename"):
        make(Returns(space, None))


@pytest.mark.parametrize(
    "rows",
    [
        lambda one: make([one, Buffered(), one]),
        lambda one: make(lambda: one, envs=3),
        lambda one: make([one, gymnasium.wrappers.TimeLimit(one, 4)]),
        lambda one: make([gymnasium.wrappers.OrderEnforcing(one), gymnasium.wrappers.TimeLimit(one, 4)]),
        lambda one: make(SyncVectorEnv([lambda: one, lambda: one])),
        lambda one: make(Buffered, envs=2, changes=[lambda _: one]),
    ],
)
def test_one_environment_is_not_two_rows(rows: Callable[[gymnasium.Env[Any, Any]], Any]) -> None:
    with pytest.raises(
        UserError, match="one Buffered stands for several rows of the batch, which would share its epis"
    ):
        rows(Buffered())


FINE: Any = (0.0, True, False, {})


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ((0.0, True, {}), r"step returned 4 values, expected \(observation, reward, terminated, truncated, info\)"),
        ((0.0, True, False, {}, None), "step returned 6 values"),
        (None, "step returned None, expected"),
        ((None, True, False, {}), "the reward is None, expected one number"),
        (([1.0, 2.0], True, False, {}), r"the reward is \[1.0, 2.0\], expected one number"),
        ((np.array([2.0]), True, False, {}), r"the reward is array\(\[2.\]\), expected one number"),
        (("3", True, False, {}), "the reward is '3', expected one number"),
        ((1j, True, False, {}), "the reward is 1j"),
        ((np.float32("nan"), True, False, {}), "the reward is nan"),
        ((10**400, True, False, {}), "the reward is 1000"),
        ((0.0, None, False, {}), "terminated is None, expected True or False"),
        ((0.0, False, "False", {}), "truncated is 'False', expected True or False"),
        ((0.0, np.array([True]), False, {}), "terminated is array"),
        ((0.0, {}, False, {}), "terminated is {}, expected"),
        ((0.0, 2, False, {}), "terminated is 2, expected"),
    ],
)
def test_what_a_step_returns_is_named_for_what_it_is(outcome: Any, message: str) -> None:
    env = make([Returns(PLANE, np.zeros(2), FINE), Returns(PLANE, np.zeros(2), outcome)])
    env.reset([0, 1])
    with pytest.raises(RunError, match=f"^Returns, row 1, episode 0, step 0: {message}") as caught:
        env.step((np.zeros(2, np.int64),))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "outcome", [(np.float32(1), np.True_, np.False_, {}), (True, 1, 0, {}), [1, 1, np.array(0), {}]]
)
def test_numbers_and_flags_of_other_types_are_taken(outcome: Any) -> None:
    env = make(Returns(PLANE, np.zeros(2), outcome))
    env.reset([0])
    step = env.step(ACTION)
    assert (step.reward[0], step.terminated[0], step.truncated[0]) == (1.0, True, False)


class WrongRows(BufferedRows):
    """Returns one part of a step as it is told."""

    def __init__(self, place: int, value: Any) -> None:
        super().__init__()
        self.place, self.value = place, value

    def step(self, action: Any) -> Any:
        answer = list(super().step(action))
        answer[self.place] = self.value
        return tuple(answer)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (1, 1.0, "the reward is 1.0, expected one for each of 2 rows"),
        (1, np.array(["a", "b"]), "the reward is array.*, expected one for each"),
        (2, [True, False, True], "terminated is .*, expected one for each"),
        (2, np.array([0.5, 1]), "terminated is .*, expected one"),
        (3, np.array([2, 0]), "truncated is .*, expected True or False for each row"),
        (3, None, "truncated is None, expected one"),
    ],
)
def test_what_a_vector_step_returns_is_named_for_what_it_is(place: int, value: Any, message: str) -> None:
    env = make(WrongRows(place, value))
    env.reset([0, 1])
    with pytest.raises(RunError, match=f"WrongRows, episode 0, step 0: {message}"):
        env.step(env.decode(torch.tensor([[0.0, 0, 1, 0, 0, 0, 1, 0, 0]] * 2)))


class Leaves(Buffered):
    """Leaves the program, or breaks, in one of its methods."""

    def __init__(self, where: str, error: BaseException) -> None:
        super().__init__()
        self.where, self.error = where, error
        self._leave("init")

    def _leave(self, where: str) -> None:
        if where == self.where:
            raise self.error

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._leave("reset")
        return super().reset(seed=seed)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._leave("step")
        return super().step(action)

    def close(self) -> None:
        self._leave("close")


@pytest.mark.parametrize("code", [0, None, 3, "goodbye"])
@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("init", "broke while being made, SystemExit"),
        ("reset", "Leaves, row 0, episode 0, step 0: the environment raised SystemExit"),
        ("step", "Leaves, row 0, episode 0, step 0: the environment raised SystemExit"),
    ],
)
def test_an_environment_that_exits_ends_the_run_and_not_the_program(where: str, message: str, code: Any) -> None:
    agent = Writer(torch.tensor([0.0, 0.0]))
    with pytest.raises(RunError, match=message):
        run(agent, make(lambda: Leaves(where, SystemExit(code))), Schedule(episodes=1))


@pytest.mark.parametrize("error", [SystemExit(0), OSError("port 3"), AssertionError()])
def test_one_that_breaks_while_closed_is_reported_and_the_others_are_closed(error: BaseException) -> None:
    closed: list[int] = []

    class Tells(Buffered):
        def close(self) -> None:
            closed.append(1)

    with pytest.warns(CloseWarning, match=f"Tells broke while being closed, {type(error).__name__}"):
        make([Tells(), Leaves("close", error), Tells()]).close()
    assert len(closed) == 2


@pytest.mark.parametrize("error", [SystemExit(0), KeyError("gain")])
def test_a_wrapper_that_breaks_while_made_is_one_sentence(error: BaseException) -> None:
    def wrapped(env: Any) -> Any:
        raise error

    with pytest.raises(RunError, match=f"a change of Buffered broke while being made, {type(error).__name__}"):
        make(Buffered, changes=[wrapped])


def test_what_is_no_environment_is_the_users_mistake() -> None:
    class Bare(gymnasium.Env[Any, Any]):
        observation_space = PLANE

    things: list[Any] = [lambda: None, lambda: 3, Bare]
    for thing in things:
        with pytest.raises(
            UserError, match=r"is no environment, AttributeError: .*expected a gymnasium.Env with an obs"
        ):
            make(thing)


@pytest.mark.parametrize("space", [spaces.Box(-1, 1, (0,)), spaces.Dict({"a": PLANE, "b": spaces.Box(0, 1, (2, 0))})])
def test_an_empty_space_is_refused(space: spaces.Space[Any]) -> None:
    with pytest.raises(UserError, match="the observation space of Returns is empty, or an entry of it is: "):
        make(Returns(space, None))


def test_a_wrapper_that_hides_what_it_wraps_is_the_users_mistake() -> None:
    class Hides(gymnasium.Wrapper[Any, Any, Any, Any]):
        @property
        def unwrapped(self) -> Any:
            raise RuntimeError("hidden")

    with pytest.raises(UserError, match="a Hides is no environment, RuntimeError: hidden"):
        make("CartPole-v1", changes=[Hides])
