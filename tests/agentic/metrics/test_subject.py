"""Subjects: whatever can be measured, made into a record, an agent and a world."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from agentic import Categorical, Intervention, Record, Recording, RunError, Schedule, UserError, make, run, subject_of
from agentic.errors import ThirdPartyWarning
from agentic.runs.minari import record_of
from agentic.testing.worlds import Coin, TwoPlaces


class World(gymnasium.Env[Any, Any]):
    """Three steps in given spaces; `seen` keeps what was observed and done."""

    def __init__(self, observation: spaces.Space[Any], action: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observation, action
        self.done: list[Any] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(0)
        self.t = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        self.done.append(action)
        return self.observation_space.sample(), 1.0, self.t == 3, False, {}


CHOICE = spaces.Discrete(3, start=1)
SPACES = [
    (spaces.Discrete(4, start=-1), CHOICE),
    (spaces.Box(-1, 1, (2, 2)), spaces.Box(-1, 1, (2,))),
    (spaces.MultiDiscrete([2, 3]), spaces.MultiDiscrete(np.array([[2, 3], [4, 2]]))),
    (spaces.Dict({"a": spaces.Box(0, 255, (2,), np.uint8), "b": spaces.Discrete(2)}), spaces.MultiBinary(3)),
    (spaces.Tuple([spaces.Discrete(2), spaces.Box(-1, 1, (1,))]), spaces.Tuple([CHOICE, spaces.Box(-1, 1, (2,))])),
]


@pytest.mark.parametrize(("observation", "action"), SPACES, ids=[str(pair[0])[:12] for pair in SPACES])
def test_a_function_sees_and_does_what_the_environment_does(observation: Any, action: Any) -> None:
    world = World(observation, action)
    seen, given = [], []
    action.seed(1)

    def policy(obs: Any) -> Any:
        seen.append(obs)
        given.append(action.sample())
        return given[-1]

    subject = subject_of(policy, world)
    run(subject.agent, world, Schedule(episodes=1))
    assert all(observation.contains(obs) for obs in seen)
    fresh = World(observation, action)
    first, _ = fresh.reset()
    assert _equal(seen[0], first)
    assert all(_equal(a, b) for a, b in zip(given, world.done, strict=True))


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return all(map(_equal, a, b))
    return np.array_equal(a, b)


class Batched:
    """A policy in the manner of Stable-Baselines3: batches in, batches and a state out."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, Any, Any, bool]] = []

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        count = np.zeros(len(observation), int) if state is None else np.where(episode_start, 0, state[0])
        self.asked.append((observation, state, episode_start, deterministic))
        return count % 3 + 1, (count + 1,)


def test_a_batch_is_asked_at_once_and_its_memory_kept_until_an_episode_ends() -> None:
    policy, worlds = Batched(), [World(spaces.Box(-1, 1, (2,)), CHOICE) for _ in range(2)]
    agent = subject_of(policy, worlds[0]).agent
    record = run(agent, worlds, Schedule(episodes=4))
    assert [episode.arrays["action"].tolist() for episode in record.episodes()] == [[1, 2, 3]] * 4
    observation, state, begins, deterministic = policy.asked[0]
    assert (observation.shape, state, begins.tolist(), deterministic) == ((2, 2), None, [True, True], True)
    assert [asked[2].all() for asked in policy.asked] == [True, False, False, True, False, False]


def test_a_policy_is_shared_by_sealed_copies() -> None:
    policy = SimpleNamespace(predict=lambda obs: 1, lock=iter(()))
    subject = subject_of(policy, World(CHOICE, CHOICE))
    subject.under(Intervention("nothing", lambda env: env))
    assert deepcopy(subject.agent) is subject.agent


class Offering:
    """Probabilities of two actions, in the manner of Stable-Baselines3."""

    policy: Any

    def __init__(self) -> None:
        self.policy = self

    def obs_to_tensor(self, observation: Any) -> tuple[torch.Tensor, bool]:
        return torch.as_tensor(observation), True

    def get_distribution(self, obs: torch.Tensor) -> Any:
        return SimpleNamespace(distribution=SimpleNamespace(probs=torch.tensor([[0.2, 0.8]]).expand(len(obs), 2)))

    def predict(self, observation: Any, deterministic: bool = False) -> tuple[Any, None]:
        return np.ones(len(observation), int), None


def test_probabilities_are_reported_where_they_are_offered() -> None:
    world = make(World(spaces.Box(-1, 1, (2,)), spaces.Discrete(2)))
    agent = subject_of(Offering(), world).agent
    draws = torch.Generator()
    decision = agent.decide(agent.start(3, generator=draws), torch.zeros(3, 2), generator=draws)
    assert isinstance(decision.policy, Categorical)
    torch.testing.assert_close(decision.policy.probs, torch.tensor([[0.2, 0.8]] * 3))
    assert decision.action.tolist() == [[0.0, 1.0]] * 3


@pytest.mark.parametrize("answer", [4, 0, 1.0, [1, 1], "left", None, (1, 2, 3), np.ones((1, 1), int)])
def test_what_is_no_action_is_one_sentence(answer: Any) -> None:
    world = World(spaces.Discrete(2), CHOICE)
    agent = subject_of(lambda obs: answer, world).agent
    with pytest.raises(RunError, match=r"the policy chose .* for 1 row\(s\) of Discrete\(3, start=1\)") as message:
        run(agent, world, Schedule(episodes=1))
    assert "\n" not in str(message.value)


@pytest.mark.parametrize("answer", [[2.0, 0.0], [np.nan, 0.0], 0.5, [[0.1], [0.1, 0.2]]])
def test_what_is_out_of_bounds_is_one_sentence(answer: Any) -> None:
    world = World(spaces.Discrete(2), spaces.Box(-1, 1, (2,)))
    agent = subject_of(lambda obs: answer, world).agent
    with pytest.raises(RunError, match=r"(the policy chose|lies outside the bounds).*Box\(-1.0, 1.0, \(2,\)"):
        run(agent, world, Schedule(episodes=1))


def test_any_agent_is_recorded_the_same_twice() -> None:
    subject = subject_of(Coin(), TwoPlaces)
    assert subject.lacks("record", "agent", "environment") == ["record"]
    first, second = (subject.recorded(episodes=5, seed=2) for _ in range(2))
    assert len(first.record.returns()) == 5
    assert first.record.table().equals(second.record.table())


def test_recording_needs_an_agent_and_a_world() -> None:
    with pytest.raises(UserError, match="needs an agent and an environment"):
        subject_of(Coin()).recorded()


def test_an_environment_is_copied_and_stays_as_it_was() -> None:
    world = gymnasium.make("CartPole-v1")
    world.unwrapped.gravity = 20.0  # type: ignore[attr-defined]
    subject = subject_of(lambda obs: 0, world)
    one, other = subject.environment(), subject.environment()
    assert one is not other
    assert one.unwrapped.gravity == other.unwrapped.gravity == 20.0  # type: ignore[attr-defined]
    subject.recorded(episodes=1)
    assert world.unwrapped.state is None  # type: ignore[attr-defined]


def test_a_record_and_its_folder(tmp_path: Path) -> None:
    record = run(Coin(), TwoPlaces, Schedule(episodes=3), Recording(tmp_path))
    assert subject_of(record).record is record
    opened = subject_of(tmp_path).record
    assert opened is not None
    assert opened.returns().tolist() == record.returns().tolist()
    assert subject_of(str(tmp_path), "CartPole-v1").environment is not None
    with pytest.raises(UserError, match="is not the folder of a run"):
        subject_of(tmp_path / "nowhere")


class Dataset:
    """What is asked of a Minari data set: two episodes of a Dict world, of two steps and of one."""

    observation_space = spaces.Dict({"a": spaces.Box(-9, 9, (2,)), "b": spaces.Discrete(5)})
    action_space = spaces.Discrete(3)

    def __init__(self, lengths: tuple[int, ...] = (2, 1), missing: int = 0) -> None:
        self.lengths, self.missing = lengths, missing

    def iterate_episodes(self) -> Iterator[Any]:
        for n in self.lengths:
            seen = {"a": np.arange(2.0 * (n + 1)).reshape(-1, 2), "b": np.arange(n + 1 - self.missing)}
            ends = np.arange(n) == n - 1
            yield SimpleNamespace(
                observations=seen,
                actions=np.ones(n, int),
                rewards=np.arange(1.0, n + 1),
                terminations=ends,
                truncations=~ends,
            )


def test_a_data_set_becomes_a_record() -> None:
    record = subject_of(Dataset()).record
    assert isinstance(record, Record)
    names = ["phase", "episode", "row", "t", "obs.a", "obs.b", "next_obs.a", "next_obs.b", "action"]
    assert record.table().column_names == [*names, "reward", "terminated", "truncated"]
    first, second = record.episodes("evaluate")
    assert first.arrays["obs.a"].tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert first.arrays["next_obs.a"].tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert first.arrays["next_obs.b"].tolist() == [1, 2]
    assert (first.total, second.length, second.complete) == (3.0, 1, True)


@pytest.mark.parametrize(
    ("dataset", "message"), [(Dataset(()), "holds no step"), (Dataset((2,), missing=1), "one more observation")]
)
def test_a_data_set_that_cannot_be_read_says_why(dataset: Dataset, message: str) -> None:
    with pytest.raises(UserError, match=message):
        subject_of(dataset)


def _changed(**columns: Any) -> Any:
    """A data set whose one episode of two steps has other columns."""
    (episode,) = Dataset((2,)).iterate_episodes()
    vars(episode).update(columns)
    space, actions = Dataset.observation_space, spaces.Box(-1, 1, (1,)) if "actions" in columns else CHOICE
    return SimpleNamespace(observation_space=space, action_space=actions, iterate_episodes=lambda: iter([episode]))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"rewards": np.array([1, np.inf])}, "episode 0 of the data set has rewards that are no finite numbers"),
        ({"rewards": np.array(["a", "b"])}, "no finite numbers"),
        ({"rewards": np.zeros((2, 1))}, "no finite numbers"),
        ({"actions": np.array([[0.0], [1.1]])}, "has action outside its space Box"),
        ({"actions": np.array([[0.0], [np.nan]])}, "has action outside its space Box"),
        ({"terminations": np.array([0.5, 1])}, "has terminated of shape"),
        ({"truncations": np.zeros(1, bool)}, r"has truncated of shape \(1,\), expected 2 times"),
        ({"observations": {"a": np.full((3, 2), np.nan), "b": np.zeros(3, int)}}, "has obs.a outside its space"),
        ({"observations": {"a": np.zeros((3, 2)), "b": np.array([0, 1.5, 0])}}, "its obs holds 1.5"),
        ({"observations": {"a": np.zeros((3, 2)), "b": np.array([0, 5, 0])}}, "has obs.b outside its space"),
        ({"observations": {"a": np.zeros((3, 2))}}, "its obs lacks the key 'b'"),
        ({"rewards": 1.0}, "no finite numbers"),
        ({"rewards": [[1.0], [1.0, 2.0]]}, "cannot be read, ValueError"),
        ({"rewards": None}, "no finite numbers"),
        ({"actions": None}, "is a NoneType"),
        ({"actions": np.zeros((1, 1))}, r"action of shape \(1, 1\), expected \(2, 1\)"),
        ({"actions": np.zeros((3, 1))}, r"action of shape \(3, 1\), expected \(2, 1\)"),
        ({"observations": {"a": np.zeros((4, 2)), "b": np.zeros(4, int)}}, r"shape \(4, 2\), expected \(3, 2\)"),
        ({"observations": {"a": np.float32(0), "b": np.zeros(3, int)}}, r"shape \(\), expected \(3, 2\)"),
        ({"observations": {"a": np.zeros((3, 2), complex), "b": np.zeros(3, int)}}, "of type complex128"),
        ({"observations": {"a": np.array([["x", "y"]] * 3), "b": np.zeros(3, int)}}, "of type <U1"),
        ({"observations": np.zeros((3, 2))}, "its obs"),
        ({"truncations": None}, "has truncated of shape"),
        ({"terminations": ["no", "yes"]}, "has terminated of shape"),
    ],
)
def test_values_of_a_data_set_that_no_run_would_record_are_refused(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        subject_of(_changed(**columns))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("observation_space", None, "the observation space of"),
        ("action_space", spaces.Text(3), "not supported"),
        ("iterate_episodes", None, "cannot be read, TypeError"),
        ("iterate_episodes", lambda: iter([SimpleNamespace(rewards=np.ones(2))]), "no attribute 'observations'"),
        ("iterate_episodes", lambda: 1 // 0, "cannot be read, ZeroDivisionError"),
    ],
)
def test_a_data_set_of_another_form_is_one_sentence(part: str, value: Any, message: str) -> None:
    dataset = _changed()
    setattr(dataset, part, value)
    with pytest.raises(UserError, match=message) as error:
        record_of(dataset)
    assert "\n" not in str(error.value)


def test_rounding_in_a_data_set_is_reported_once_per_leaf() -> None:
    actions = np.array([[0.0], [1.0000001]])
    with pytest.warns(ThirdPartyWarning, match="action leaves the bounds") as warned:
        record = subject_of(_changed(actions=actions)).record
    assert len(warned) == 1
    assert record.episodes()[0].arrays["action"][1, 0] == np.float32(1.0000001)
    with pytest.warns(ThirdPartyWarning, match="obs.a leaves the bounds") as warned:
        subject_of(_changed(observations={"a": np.full((3, 2), 20.0), "b": np.zeros(3, int)}))
    assert len(warned) == 1


def test_a_policy_that_answers_what_a_cast_would_change_is_refused() -> None:
    for action, space in ((2.5, spaces.Box(-5, 5, (), np.int8)), (300, spaces.Box(0, 255, (), np.uint8))):
        world = World(spaces.Box(-1, 1, (2,)), space)
        agent = subject_of(lambda obs, action=action: np.array(action), world).agent
        with pytest.raises(RunError, match=f"the policy chose .*{action}.* for 1 row"):
            run(agent, world, Schedule(episodes=1))


@pytest.mark.parametrize("error", [SystemExit(0), ZeroDivisionError("by zero")])
def test_a_policy_that_breaks_is_named(error: BaseException) -> None:
    class Breaks:
        def predict(self, obs: Any) -> Any:
            raise error

    def breaks(obs: Any) -> Any:
        raise error

    world = World(spaces.Box(-1, 1, (2,)), CHOICE)
    for policy, name in ((Breaks(), "Breaks"), (breaks, "breaks")):
        with pytest.raises(RunError, match=f"the policy {name} broke, {type(error).__name__}"):
            run(subject_of(policy, world).agent, world, Schedule(episodes=1))


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: subject_of(3), "expected a record"),
        (lambda: subject_of(object()), "expected a record"),
        (lambda: subject_of(Coin, TwoPlaces), "expected a record"),
        (lambda: subject_of(lambda obs: 0), "a policy needs its environment"),
        (lambda: subject_of(Coin(), "CartPole-v7"), "CartPole-v7"),
        (lambda: subject_of(Coin(), gymnasium.make_vec("CartPole-v1", vectorization_mode="vector_entry_point")), "id"),
    ],
)
def test_what_is_no_subject_is_refused(make_it: Callable[[], Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        make_it()
    assert "\n" not in str(error.value)
