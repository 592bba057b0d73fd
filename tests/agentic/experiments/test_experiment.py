"""Experiment files, and what is built from them."""

import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agentic import EnergyAgent, Experiment, Greedy, RunError, Softmax, UserError, load
from agentic.experiments.build import build, retarget
from agentic.experiments.toml import toml_value
from agentic.experiments.worlds import gymnasium_id
from agentic.plugins import Registry
from agentic.plugins.parameters import accepted, fit
from agentic_energies.gains import JointGain

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.toml"))
MINIMAL: dict[str, Any] = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}}
PLUGIN = '''
import gymnasium
from dataclasses import dataclass
from agentic import Agent, Decision, hookimpl

class Mirrored(gymnasium.ActionWrapper):
    """Left is right."""
    def action(self, action): return 1 - action

class Doubler(Agent):
    """Has parameters of every sort, and a part of its own kind."""
    def __init__(self, domain, inner=None, sizes: tuple[int, ...] = (), rate: float = 1.0):
        self.domain, self.inner, self.sizes, self.rate = domain, inner, sizes, rate
    @classmethod
    def from_env(cls, env, **parameters): return cls(env.action, **parameters)
    @classmethod
    def quick(cls, *, speed=1): return cls(None)
    def start(self, batch, *, generator): return None
    def decide(self, state, obs, *, generator):
        return Decision(self.domain.project(self.domain.center(len(obs))).to(obs.dtype))

class Still(Agent):
    """Does nothing."""
    def start(self, batch, *, generator): return None
    def decide(self, state, obs, *, generator): return Decision(obs)

class Broken(Still):
    """Breaks while it is made."""
    def __init__(self): raise LookupError("no such thing")

class Strict(Still):
    """Refuses its parameter."""
    def __init__(self, size): raise ValueError("size must be even")

@hookimpl
def agentic_agents(): return {"doubler": Doubler, "broken": Broken, "strict": Strict}
@hookimpl
def agentic_envs(): return {"mirrored": Mirrored, "pole": "gymnasium.envs.classic_control:CartPoleEnv"}
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


def test_defaults() -> None:
    made = experiment()
    assert (made.run.seed, made.run.envs, made.run.dtype, made.run.threads) == (0, 1, "float32", 1)
    assert (made.learn.steps, made.learn.warmup, made.evaluate.episodes) == (0, 0, 20)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_resolved_file_is_the_same_experiment(path: Path, tmp_path: Path) -> None:
    made = Experiment.load(path, ["run.seed=7"])
    made.save(tmp_path / "run" / "experiment.toml")
    assert Experiment.load(tmp_path / "run" / "experiment.toml") == made


plain = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
)


@given(plain)
def test_written_toml_reads_back(value: Any) -> None:
    assert tomllib.loads(f"value = {toml_value(value)}")["value"] == value


@pytest.mark.parametrize(
    ("setting", "table", "key", "value"),
    [
        ("run.seed=5", "run", "seed", 5),
        ("evaluate.episodes = 3", "evaluate", "episodes", 3),
        ("run.dtype=float64", "run", "dtype", "float64"),
        ('env.kwargs.name="a b"', "env", "kwargs", {"name": "a b"}),
        ("env.kwargs.size=[1, 2]", "env", "kwargs", {"size": [1, 2]}),
    ],
)
def test_settings(setting: str, table: str, key: str, value: Any) -> None:
    assert experiment(setting).tables()[table][key] == value


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("run.sed=1", "did you mean 'seed'"),
        ("modle.name=x", "did you mean 'model'"),
        ("run.seed=-1", "[run] seed is wrong: input should be greater than or equal to 0, got -1"),
        ("run.seed=true", "valid integer, got True"),
        ("evaluate.episodes=0", "got 0"),
        ("learn.steps=-5", "got -5"),
        ("run.dtype=float16", "'float32' or 'float64'"),
        ("planner.horizon=3", "[planner] name is missing"),
        ("agent.selection=greedy", "should be a table, got 'greedy'"),
        ("env.id.x=1", "id is a value and not a table"),
        ("nonsense", "write table.key=value"),
    ],
)
def test_mistakes_are_one_sentence(setting: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        experiment(setting)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\nseed = = 3\n", "line 2"),
        ("[env]\nid = 'CartPole-v1'\n", "[agent] is missing: write [agent] and below it name ="),
        ("[agent]\nname = 'random'\n", "[env] is missing"),
    ],
)
def test_bad_files_say_where(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"bad\.toml") as caught:
        Experiment.load(path)
    assert said in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        Experiment.load(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="UTF-8"):
        Experiment.load(tmp_path / "binary.toml")
    with pytest.raises(RunError, match="cannot write"):
        experiment().save(tmp_path / "binary.toml" / "experiment.toml")


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
def test_what_does_not_fit_is_told_before_anything_runs(settings: list[str], said: str, registry: Registry) -> None:
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


def test_components_of_a_stranger(registry: Registry) -> None:
    own = ["agent.name=doubler", "agent.sizes=[1, 2]", "agent.rate=2"]
    agent: Any = build(experiment(*own, "agent.inner.name=doubler", "agent.inner.sizes=[3]"), registry).agent
    assert (agent.sizes, agent.rate, agent.inner.sizes) == ((1, 2), 2.0, (3,))
    assert list(accepted(type(agent)).names) == ["domain", "inner", "sizes", "rate", "speed"]
    with pytest.raises(UserError, match=r"\[agent\] doubler: sizes is wrong"):
        build(experiment(*own, "agent.sizes=[1.5]"), registry)
    with pytest.raises(UserError, match=r"\[agent\] strict needs the parameter 'size'"):
        build(experiment("agent.name=strict"), registry)
    with pytest.raises(UserError, match="size must be even"):
        build(experiment("agent.name=strict", "agent.size=3"), registry)
    with pytest.raises(RunError, match="plugin extra broke while being made, LookupError"):
        build(experiment("agent.name=broken"), registry)


def test_parameters_of_unresolvable_types_are_taken_as_they_are() -> None:
    def component(env: "Nowhere", size: "Nobody" = 1, *rest: int) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Annotated for type checkers alone."""

    assert fit(accepted(component, 1), {"size": [1]}, "it") == {"size": [1]}


def test_retarget_keeps_world_and_schedule(registry: Registry) -> None:
    cartpole = Experiment.load(next(path for path in EXAMPLES if path.stem == "cartpole"), ["run.seed=3"])
    other = retarget(cartpole, "random", registry)
    assert set(other.tables()) == {"run", "env", "agent", "learn", "evaluate"}
    assert (other.run, other.env, other.evaluate) == (cartpole.run, cartpole.env, cartpole.evaluate)
    assert other.learn.steps == 0
    assert retarget(cartpole, "energy", registry) is cartpole


def test_toml_of_an_experiment_is_readable() -> None:
    text = experiment("agent.name=rock", "agent.action=1").to_toml()
    assert text.endswith(
        textwrap.dedent("""\
            [agent]
            name = "rock"
            action = 1

            [learn]
            steps = 0
            warmup = 0
            hold = 1

            [evaluate]
            episodes = 20
            """)
    )


def test_another_name_drops_the_parameters_of_the_component_it_replaces() -> None:
    tables = {
        "env": {"id": "CartPole-v1"},
        "agent": {"name": "energy", "selection": {"name": "greedy"}},
        "goal": {"name": "quadratic", "weights": [1.0]},
        "planner": {"name": "cem", "samples": 64, "horizon": 7},
    }
    changed = Experiment.of(tables, ["goal.scale=2.0", "goal.name=mine", "planner.name=riccati"])
    assert changed.goal is not None
    assert changed.goal.parameters == {"scale": 2.0}
    assert changed.planner is not None
    assert (changed.planner.horizon, changed.planner.parameters) == (7, {})
