"""Proposals for discrete worlds: horizons worth most within the step limit, and worlds that are left alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import agentic_envs
from agentic import Experiment, Record, World, load, make, propose
from agentic.cli import main
from agentic.experiments.build import build
from agentic_agents.defaults import best_plan, proposal
from agentic_agents.limits import limit_of
from agentic_envs.cuechain import corridor

assert agentic_envs
OPTIMA = {  # of value iteration within the step limit; the horizon taken, and what looking that far ahead is worth
    "FrozenLake-v1": (0.74419, 38, 0.74016),
    "FrozenLake8x8-v1": (0.91322, 101, 0.89363),
    "CliffWalking-v1": (-13.0, 13, -13.0),
    "Taxi-v4": (7.93, 18, 7.93),
}


def chain(pay: float = 1.0, length: int = 4) -> World:
    """Places in a row: the first action stays, the second goes on; the last place is the end, entering it pays."""
    dynamics = np.zeros((length, 2, length))
    for place in range(length):
        dynamics[place, 0, place] = dynamics[place, 1, min(place + 1, length - 1)] = 1
    rewards = np.zeros((length, 2))
    rewards[-2, 1] = pay
    return World(dynamics, rewards, np.eye(length)[0], np.eye(length)[-1] > 0)


def test_a_goal_that_could_be_put_off_for_ever_is_discounted() -> None:
    best, optimum = best_plan(chain(), 10)
    assert (best.horizon, best.discount, best.value, best.length, optimum) == (3, 0.999, 1.0, 3.0, 1.0)


def test_the_shortest_horizon_of_those_worth_most_is_taken_without_discount_where_that_does() -> None:
    world = chain()
    toll = World(world.dynamics, np.array([[-1.0, -1.0]] * 3 + [[0, 0]]), world.start, world.ended)
    best, optimum = best_plan(toll, 10)  # every step costs: who sees the end goes there
    assert (best.horizon, best.discount, best.value, optimum) == (4, 1.0, -3.0, -3.0)
    assert best_plan(chain(), 2)[0].value == 0  # too few steps for anything


@pytest.mark.parametrize("id", ["FrozenLake-v1", "CliffWalking-v1"])
def test_what_a_horizon_is_worth_is_that_of_value_iteration(id: str) -> None:
    steps = {"FrozenLake-v1": 100, "CliffWalking-v1": 1000}[id]
    best, optimum = best_plan(World.of(make(id).truth()), steps)
    assert (optimum, best.horizon, best.value) == pytest.approx(OPTIMA[id], abs=1e-5)


def test_the_steps_of_an_episode_are_those_of_wrappers_or_the_world() -> None:
    assert limit_of(make("FrozenLake8x8-v1")) == 200
    assert limit_of(make("CliffWalking-v1")) == 1000
    assert limit_of(make("CliffWalking-v1", kwargs={"max_episode_steps": 7})) == 7
    assert limit_of(make("agentic/Tiger-v0", kwargs={"steps": 9})) == 9


def test_a_world_too_large_for_tables_is_left_to_chance() -> None:
    lake = ["S" + "F" * 99, *["F" * 100] * 98, "F" * 99 + "G"]
    found = proposal(make("FrozenLake-v1", kwargs={"desc": lake}))
    assert found is not None
    assert found.tables["agent"] == {"name": "random"}


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"id": "agentic/GridWorld-v0"}, "its states are seen and its truth is known: planned 3 steps ahead"),
        ({"id": "agentic/TMaze-v0"}, "planned 4 steps ahead over beliefs, to the end"),
        (
            {"id": "agentic/Tiger-v0", "kwargs": {"steps": 500}},
            "with what they tell; 4 episodes of 500 steps",
        ),
        ({"id": "agentic/CueChain-v0", "kwargs": corridor(12)}, "its 159,744 joint states are too many for tables"),
        ({"id": "CliffWalking", "kwargs": {"is_slippery": True}}, "of at most -64.71 within 1,000 steps"),
    ],
)
def test_proposals_say_why_and_can_be_built(env: dict[str, Any], said: str) -> None:
    registry = load()
    found = propose(env, registry)
    assert found is not None
    assert said in found.reason
    build(Experiment.of(found.tables), registry).environment.close()


def lived(*arguments: str) -> np.ndarray:
    assert main(["run", *arguments, "--quiet", "--out", "here"]) == 0
    return np.asarray(Record.open(max(Path("here").iterdir())).returns())


def test_the_cliff_is_walked_by_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (lived("--env", "CliffWalking", "--episodes", "5") == -13).all()


@pytest.mark.parametrize("kwargs", [corridor(4), pytest.param({}, marks=pytest.mark.slow)], ids=["corridor", "grid"])
def test_chains_of_cues_are_followed_to_the_end(kwargs: dict[str, Any]) -> None:
    """Where a tree sees two or three steps ahead, and found the reward in a tenth of the episodes, or never."""
    found = propose({"id": "agentic/CueChain-v0", "kwargs": kwargs}, load())
    assert found is not None
    assert found.tables["planner"]["name"] == "mcts"
    returns = build(Experiment.of(found.tables, ["evaluate.episodes=2", "run.envs=2"]), load()).run().returns()
    assert (returns == 1).all()


@pytest.mark.slow
@pytest.mark.timeout(600)  # some seconds, but for a machine that is busy
@pytest.mark.parametrize("id", ["FrozenLake-v1", "FrozenLake8x8-v1", "Taxi-v4"])
def test_the_optimum_is_reached_within_sampling_error(id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    returns, (optimum, _, worth) = lived("--env", id), OPTIMA[id]
    error = returns.std(ddof=1) / len(returns) ** 0.5
    assert len(returns) == 100
    assert abs(returns.mean() - optimum) < 2 * error
    assert abs(returns.mean() - worth) < 2 * error
