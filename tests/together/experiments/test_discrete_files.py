"""Discrete worlds and models written in experiment files: arrays, what depends on what, several controls."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from agentic import EnergyAgent, Experiment, Simplex, UserError, World, load, make
from agentic.experiments.build import build
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.reward import Reward
from agentic_envs.pomdp import Pomdp

FILE = """
[env]
id = "agentic/Pomdp-v0"

[env.kwargs]  # a door that one hand opens and shuts, and a lamp that shines as long as the door is open
A = [[[0.9, 0.2], [0.1, 0.8]], [[1, 0], [0, 1]]]
B = [[[[1, 0], [1, 0]], [[0, 1], [0, 1]]], [[[[1, 1, 1], [1, 0, 1]], [[1, 1, 1], [1, 0, 0]]],
                                            [[[0, 0, 0], [0, 1, 0]], [[0, 0, 0], [0, 1, 1]]]]]
D = [[1, 0], [1, 0]]
rewards = [[[[0, 0, 0], [0, 0, 0]], [[1, 1, 1], [1, 1, 1]]], [[[0, 0, 0], [0, 0, 0]], [[1, 1, 1], [1, 1, 1]]]]
dependencies = { A = [[0], [1]], B = [[0], [1, 0]], B_actions = [[0], [1]] }
steps = 6

[agent]
name = "energy"
selection = { name = "greedy" }

[model]
name = "categorical"

[goal]
name = "reward"

[inference]
name = "exact"

[planner]
name = "enumerate"
horizon = 3

[evaluate]
episodes = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lamp.toml"
    path.write_text(FILE)
    return path


def agent_of(built: Any) -> EnergyAgent:
    assert isinstance(built.agent, EnergyAgent)
    return built.agent


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["planner.name=tree"],
        *(["model.name=factored", f"inference.name={name}"] for name in ("mirror", "exact", "belief_propagation")),
        ["model.name=factored", "inference.name=mirror", "planner.name=tree"],
        ["model.name=factored", "inference.name=mirror", "planner.name=mcts"],
        ["model.name=factored", "inference.name=exact", "env.kwargs.ends=[[0, 0], [0, 0.5]]"],
    ],
    ids=str,
)
def test_a_world_from_a_file_is_lived_in_by_an_agent_that_knows_it(file: Path, settings: list[str]) -> None:
    built = build(Experiment.load(file, settings), load())
    assert agent_of(built).model.action == Simplex((2, 3))
    world = World.of(built.environment.truth())
    best = float(world.action_values(depth=6).max(-1) @ world.start)
    assert built.run().returns() == pytest.approx([best] * 3)


@pytest.mark.parametrize(("name", "kind"), [("categorical", CategoricalModel), ("factored", FactoredModel)])
def test_a_model_is_written_with_its_dependencies(file: Path, name: str, kind: type[Any]) -> None:
    arrays = Experiment.load(file).env.kwargs
    given = {key: arrays[key] for key in ("A", "B", "D", "dependencies")}
    solver = {"categorical": "exact", "factored": "mirror"}[name]
    experiment = Experiment.of(
        {**Experiment.load(file).tables(), "model": {"name": name, **given}, "inference": {"name": solver}}
    )
    agent = agent_of(build(experiment, load()))
    assert isinstance(agent.model, kind)
    known = kind.from_env(make(Pomdp(**arrays)))
    belief, action = known.begin(1), known.action.corners()[3:4]
    assert_close(agent.model.predict(agent.model.begin(1), action).mean, known.predict(belief, action).mean)


def test_both_models_know_where_episodes_end(file: Path) -> None:
    first = []
    for settings in (["planner.name=tree"], ["model.name=factored", "inference.name=mirror", "planner.name=tree"]):
        built = build(Experiment.load(file, [*settings, "env.kwargs.ends=[[0, 0.5], [0, 0]]"]), load())
        agent, draws = agent_of(built), torch.Generator().manual_seed(0)
        seen = torch.tensor([[1.0, 0.0, 1.0, 0.0]], dtype=torch.float64)
        energies = agent.decide(agent.start(1, generator=draws), seen, generator=draws).energies
        first.append(energies["expected_energy"])
    assert_close(first[0], first[1])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["model.dependencies={ A = [[0], [1]] }"], "B[1] expects 3 axes, got shape (2, 2, 2, 3)"),
        (["env.kwargs.dependencies={ A = [[0], [5]] }"], "dependencies.A[1] expects different indices below 2"),
        (["env.kwargs.A=[[[0.9, 0.2], [0.2, 0.8]], [[1, 0], [0, 1]]]"], "the columns of A[0] must be probabilities"),
        (["model.name=factored", "inference.name=exact", "inference.limit=1"], "use belief_propagation or mirror"),
        (["model.name=factored", "env.kwargs.ends=[[0, 2], [0, 0]]"], "ends must be probabilities"),
    ],
)
def test_what_does_not_fit_is_one_sentence(file: Path, settings: list[str], said: str) -> None:
    with pytest.raises(UserError) as caught:
        build(Experiment.load(file, settings), load()).run()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["planner", "clone", "habit"])
def test_agents_of_one_choice_refuse_several_controls(file: Path, name: str) -> None:
    tables = {k: v for k, v in Experiment.load(file).tables().items() if k in ("env", "evaluate", "run")}
    with pytest.raises(UserError) as caught:
        build(Experiment.of({**tables, "agent": {"name": name}}), load()).run()
    assert "\n" not in str(caught.value)


def test_a_file_names_the_new_worlds_by_short_names() -> None:
    for name in ("pomdp", "cuechain", "bandit", "foggrid", "adjacent_tmaze"):
        experiment = Experiment.of({"env": {"id": name}, "agent": {"name": "random"}, "evaluate": {"episodes": 1}})
        assert len(build(experiment, load()).run().returns()) == 1


def test_rewards_of_several_controls_are_of_joint_actions() -> None:
    world = make(Pomdp(**tomllib.loads(FILE)["env"]["kwargs"]))
    assert isinstance(world.action, Simplex)
    lit = torch.eye(4, dtype=torch.float64)[1].expand(6, 4)
    assert Reward.from_env(world)(lit, world.action.corners()).tolist() == [-1.0] * 6
    with pytest.raises(UserError, match=r"rewards of controls \(2, 2\) need a column per joint action, got 6"):
        Reward(world.truth()["rewards"], controls=[2, 2])
