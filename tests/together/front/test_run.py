"""`agentic.run` takes files, names, functions and objects, and says in one sentence what it does not take."""

from pathlib import Path
from typing import Any, cast

import gymnasium
import numpy as np
import pytest

import agentic
from agentic import Experiment, RunError, UserError
from agentic.experiments import example
from agentic.testing.worlds import Coin
from agentic_agents.random import RandomAgent

CART, TMAZE = "CartPole-v1", example("tmaze").resolve()


class Endless(gymnasium.Env[Any, Any]):
    """A world without an end or a limit."""

    observation_space = gymnasium.spaces.Discrete(2)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return 0, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return 0, 1.0, False, False, {}


class Predicting:
    """What only predicts."""

    def predict(self, obs: Any) -> int:
        return 1


def zero(observation: Any) -> int:
    return 0


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(("tmaze",), id="an example"),
        pytest.param((TMAZE,), id="a file"),
        pytest.param((Experiment.load(TMAZE),), id="an experiment"),
        pytest.param((Experiment.load(TMAZE).tables(),), id="tables"),
        pytest.param(("agentic/TMaze-v0",), id="a world"),
        pytest.param((None, "agentic/TMaze-v0"), id="a world alone"),
        pytest.param(("random", CART), id="an agent by name"),
        pytest.param(("random", gymnasium.make(CART)), id="in a world that is made"),
        pytest.param((zero, CART), id="a function"),
        pytest.param((zero, lambda: gymnasium.make(CART)), id="two functions"),
        pytest.param((Predicting(), CART), id="a policy"),
        pytest.param((Coin(), CART), id="an agent"),
    ],
)
def test_what_the_command_takes_and_objects_are_run(given: tuple[Any, ...]) -> None:
    record = agentic.run(*given, episodes=2, out=None)
    assert len(record.returns()) == 2
    assert not list(Path().iterdir())


def test_names_are_recorded_in_a_folder_as_the_command_does_and_agents_in_memory() -> None:
    record = agentic.run("random", CART, episodes=1)
    assert record.folder == Path("runs/0001-cartpole-v1-random")
    again = agentic.run(str(record.folder / "experiment.toml"), out="others")
    assert again.returns().tolist() == record.returns().tolist()
    assert agentic.run(zero, CART, episodes=1).folder == Path("runs/0002-cartpole-v1-zero")
    assert agentic.run(Coin(), CART, episodes=1).folder is None
    assert agentic.report(record).name == "report.html"
    assert agentic.report(agentic.run(zero, CART, episodes=1)).is_file()


def test_settings_are_those_of_the_command() -> None:
    ways: list[dict[str, Any]] = [
        {"settings": {"planner.horizon": 1, "run.seed": 3}},
        {"settings": {"planner": {"horizon": np.int64(1)}}, "seed": 3},
        {"settings": ["planner.horizon=1", "run.seed=3"]},
        {"planner": {"horizon": 1}, "run": {"seed": 3}},
    ]
    found = [agentic.run("tmaze", episodes=3, out=None, **way) for way in ways]
    assert len({record.table(["action"]).to_pydict().__str__() for record in found}) == 1
    assert all(record.manifest["seed"] == 3 for record in found)
    assert agentic.run("tmaze", agent="random", episodes=1, out=None).manifest["components"][-1]["name"] == "random"


def test_an_agent_of_parts_is_put_together_for_a_world_that_is_made_already() -> None:
    named, made = (
        agentic.run("energy", env, episodes=5, out=None) for env in ("FrozenLake-v1", gymnasium.make("FrozenLake-v1"))
    )
    assert made.returns().tolist() == named.returns().tolist()
    assert repr(made).startswith("Record(agent='energy', env='FrozenLake-v1', status='finished'")
    dry = agentic.run("energy", gymnasium.make("FrozenLake-v1", is_slippery=False), episodes=2, out=None)
    assert dry.returns().tolist() == [1.0, 1.0]


def test_an_endless_world_is_cut_as_by_the_command() -> None:
    assert agentic.run(zero, Endless(), episodes=1, out=None).returns().tolist() == [1000.0]
    assert agentic.run(zero, Endless, episodes=1, out=None).returns().tolist() == [1000.0]
    assert agentic.run(zero, [Endless(), Endless()], episodes=2, out=None).returns().tolist() == [1000.0, 1000.0]
    limited = gymnasium.wrappers.TimeLimit(Endless(), 7)
    assert agentic.run(zero, limited, episodes=1, out=None).returns().tolist() == [7.0]


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (("tmze",), {}, "did you mean 'tmaze'"),
        (("random",), {}, "random is an agent: name its environment too"),
        (("nowhere/tmaze.toml",), {}, "there is no file .*; the example of that name is 'tmaze'"),
        (("nothing.toml",), {}, "nothing.toml"),
        (("CartPol-v1",), {}, "did you mean 'CartPole-v1'"),
        (("rndom", CART), {}, "did you mean 'random'"),
        ((zero,), {}, "zero needs its environment: name it too"),
        ((int, CART), {}, "expected an experiment file, .* got <class 'int'>"),
        ((42, CART), {}, "expected an experiment file, .* got 42"),
        ((42,), {}, "expected an experiment file, .* got 42"),
        ((zero, CART), {"agent": "random"}, "two agents are named, zero and random"),
        (("random", CART), {"agent": "energy"}, "two agents are named, random and energy"),
        (("random", CART), {"settings": [1]}, "expected settings as .* got \\[1\\]"),
        (("random", CART), {"plugins": 3}, "expected plugins by the path of their file, got 3"),
        (({"env": 3},), {}, r"\[env\] is wrong: input should be a table, got 3"),
        (("random", gymnasium.make(CART)), {"envs": 3}, "envs = 3, but 1 made"),
        (("random", agentic.make(CART, envs=2)), {"envs": 3}, "envs = 3, but CartPole-v1 has 2"),
        (("tmaze",), {"episode": 1}, "has no option 'episode', did you mean 'episodes'"),
        (("tmaze",), {"settings": {"horizon": 1}}, "write table.key=value"),
        (("tmaze",), {"dtype": None}, "go with an Agent"),
        ((), {}, "nothing says in which environment: give env="),
        ((), {"agent": "random"}, "nothing says in which environment: give env="),
    ],
    ids=lambda given: str(given) if isinstance(given, str) else "",
)
def test_what_is_not_taken_is_one_sentence(given: tuple[Any, ...], options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as found:
        agentic.run(*given, **options, out=None)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("out", [3, False, "a\0b"])
def test_what_is_no_folder_is_said(out: Any) -> None:
    with pytest.raises(UserError, match="cannot make a folder in"):
        agentic.run("random", CART, episodes=1, out=out)


def test_a_function_that_makes_environments_makes_as_many_as_are_asked_for() -> None:
    made: list[gymnasium.Env[Any, Any]] = []

    def make_one() -> gymnasium.Env[Any, Any]:
        made.append(gymnasium.make(CART))
        return made[-1]

    record = agentic.run(zero, make_one, envs=3, episodes=3, out=None)
    assert len(made) == 3
    assert len(record.returns()) == 3


def test_an_observer_that_breaks_is_named() -> None:
    with pytest.raises(RunError, match="the observer of the run broke, TypeError"):
        agentic.run("random", CART, episodes=1, out=None, observer=cast(Any, 3))


def test_a_function_that_breaks_is_named() -> None:
    with pytest.raises(RunError, match="the policy broken broke, ZeroDivisionError"):
        agentic.run(broken, CART, episodes=1, out=None)


def broken(observation: Any) -> int:
    return 1 // 0


def test_the_form_of_an_agent_is_as_before(tmp_path: Path) -> None:
    env = agentic.make(CART)
    schedule = agentic.Schedule(episodes=2)
    one = agentic.run(RandomAgent(env.action), env, schedule, agentic.Recording(tmp_path / "run"), seed=3)
    other = agentic.run(RandomAgent(env.action), CART, schedule=schedule, seed=3)
    assert one.returns().tolist() == other.returns().tolist()
    assert (one.folder, other.folder) == (tmp_path / "run", None)
