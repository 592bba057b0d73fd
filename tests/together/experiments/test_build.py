"""From the examples' files to the built-in agents in their worlds."""

from pathlib import Path
from typing import Any

import pytest

from agentic import EnergyAgent, Experiment, Greedy, Softmax, UserError, load
from agentic.cli.starting import retarget
from agentic.experiments.build import build
from agentic.experiments.worlds import gymnasium_id
from agentic.plugins import Registry
from agentic_energies.gains import JointGain

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.toml"))
MINIMAL: dict[str, Any] = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}}
PLUGIN = '''
import gymnasium
from agentic import hookimpl

class Mirrored(gymnasium.ActionWrapper):
    """Left is right."""
    def action(self, action): return 1 - action

@hookimpl
def agentic_envs(): return {"mirrored": Mirrored}
'''


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    file = tmp_path_factory.mktemp("plugins") / "extra.py"
    file.write_text(PLUGIN)
    return load([file])


def experiment(*settings: str, tables: dict[str, Any] = MINIMAL) -> Experiment:
    return Experiment.of(tables, settings)


def tmaze(*settings: str) -> Experiment:
    return Experiment.load(next(path for path in EXAMPLES if path.stem == "tmaze"), settings)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_resolved_file_is_the_same_experiment(path: Path, tmp_path: Path) -> None:
    made = Experiment.load(path, ["run.seed=7"])
    made.save(tmp_path / "run" / "experiment.toml")
    assert Experiment.load(tmp_path / "run" / "experiment.toml") == made


def test_energy_agent_gets_its_parts(registry: Registry) -> None:
    built = build(tmaze("planner.gain.name=joint", "planner.discount=0.9"), registry)
    agent = built.agent
    assert isinstance(agent, EnergyAgent)
    assert isinstance(agent.selection, Greedy)
    assert isinstance(agent.purpose.gain, JointGain)
    assert (agent.purpose.horizon, agent.purpose.discount) == (2, 0.9)
    rows = {(row["kind"], row["name"]): row for row in built.components}
    assert {name for _, name in rows} >= {"tmaze", "categorical", "log_preferences", "mirror", "tree", "energy"}
    assert rows["optimizers", "mean_under_softmax"]["parameters"] == {"precision": 3.0}
    assert all(row["plugin"] == "agentic" and row["version"] for row in built.components)


def test_selection(registry: Registry) -> None:
    selection = '{ name = "softmax", precision = 3 }'
    agent = build(tmaze(f"agent.selection={selection}"), registry).agent
    assert isinstance(agent, EnergyAgent)
    assert agent.selection == Softmax(3.0)


def test_run_records_the_resolved_file(registry: Registry, tmp_path: Path) -> None:
    made = experiment("evaluate.episodes=2", "run.envs=2")
    record = build(made, registry).run(tmp_path / "run")
    assert Experiment.load(tmp_path / "run" / "experiment.toml") == made
    assert len(record.returns()) == 2
    assert record.manifest["components"][0]["name"] == "CartPole-v1"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["model.name=categoricl"], "did you mean 'categorical'"),
        (["planner.horizn=3"], "[planner] tree has no parameter 'horizn', did you mean 'horizon'?"),
        (["planner.backup.precison=3"], "[planner.backup] mean_under_softmax has no parameter 'precison'"),
        (["planner.limit=many"], "[planner] tree: limit is wrong: input should be a valid integer, got 'many'"),
        (["planner.gain.name=sumed"], "did you mean 'summed'"),
        (["planner.gain.target=nothing"], "expects a target among"),
        (["agent.selection.name=gready"], "did you mean 'greedy'"),
        (["agent.selection.precision=2"], "greedy has no parameter 'precision'"),
        (["agent.name=random"], "the agent random does not use [model], [goal], [inference], [planner]"),
        (["learn.steps=5"], "nothing that learns"),
        (["model.A=[[[0.5, 0.2], [0.5, 0.7]]]", "model.B=[[[[1], [0]], [[0], [1]]]]", "model.D=[[0.5, 0.5]]"], "A[0]"),
        (["env.id=CartPol-v1"], "CartPole-v1"),
        (["env.changes=[{name = 'mirored'}]"], "did you mean 'mirrored'"),
        (["env.changes=[{name = 'tiger'}]"], "[env.changes] tiger is an Env; a Wrapper is wanted: "),
        (["env.changes=[{name = 'mirrored', far = 1}]"], "mirrored has no parameter 'far'"),
    ],
)
def test_what_does_not_fit_is_reported_before_anything_runs(settings: list[str], said: str, registry: Registry) -> None:
    with pytest.raises(UserError) as caught:
        build(tmaze(*settings), registry)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_tables_are_named(registry: Registry) -> None:
    with pytest.raises(UserError, match=r"energy needs the table\(s\) \[model\], \[goal\], \[inference\], \[planner\]"):
        build(experiment("agent.name=energy"), registry)


def test_model_for_other_spaces(registry: Registry) -> None:
    path = next(path for path in EXAMPLES if path.stem == "cartpole")
    with pytest.raises(UserError, match="FrozenLake-v1"):
        build(Experiment.load(path, ["env.id=FrozenLake-v1"]), registry)


def test_changed_world(registry: Registry) -> None:
    built = build(experiment('env.changes=[{ name = "mirrored" }]'), registry)
    assert [row["name"] for row in built.components] == ["CartPole-v1", "mirrored", "random"]
    assert built.components[1]["sha256"]


def test_environment_by_the_name_of_a_component(registry: Registry) -> None:
    assert gymnasium_id("tmaze", registry) == gymnasium_id("agentic/tmaze", registry) == "agentic/TMaze-v0"
    assert gymnasium_id("CartPole-v1", registry) == "CartPole-v1"
    assert build(experiment("env.id=tmaze"), registry).environment.id == "agentic/TMaze-v0"


def test_retarget_keeps_world_and_schedule(registry: Registry) -> None:
    cartpole = Experiment.load(next(path for path in EXAMPLES if path.stem == "cartpole"), ["run.seed=3"])
    other = retarget(cartpole, "random", registry)
    assert set(other.tables()) == {"run", "env", "agent", "learn", "evaluate"}
    assert (other.run, other.env, other.evaluate) == (cartpole.run, cartpole.env, cartpole.evaluate)
    assert other.learn.steps == 0
    assert retarget(cartpole, "energy", registry) is cartpole
