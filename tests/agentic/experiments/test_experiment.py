"""Experiment files: what they may say, what is refused, and that they are written as they are read."""

import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agentic import Experiment, RunError, UserError
from agentic.experiments.toml import toml_value

MINIMAL: dict[str, Any] = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}}


def experiment(*settings: str, tables: dict[str, Any] = MINIMAL) -> Experiment:
    return Experiment.of(tables, settings)


def test_defaults() -> None:
    made = experiment()
    assert (made.run.seed, made.run.envs, made.run.dtype, made.run.threads) == (0, 1, "float32", 1)
    assert (made.learn.steps, made.learn.warmup, made.evaluate.episodes) == (0, 0, 20)


def test_a_resolved_file_is_the_same_experiment(tmp_path: Path) -> None:
    tables = {
        "env": {"id": "CartPole-v1", "kwargs": {"size": [1, 2]}, "changes": [{"name": "mirrored", "far": 1.5}]}
        | {"wrappers": ["gymnasium:Wrapper", {"name": "gymnasium.wrappers:TimeLimit", "max_episode_steps": 5}]},
        "agent": {"name": "energy", "selection": {"name": "softmax", "precision": 3.0}},
        "planner": {"name": "tree", "horizon": 2, "gain": {"name": "summed"}},
    }
    made = experiment("run.seed=7", tables=tables)
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
        ("evaluate.episodes=-1", "got -1"),
        ("evaluate.episodes=0", "[evaluate] episodes and [learn] steps are both 0, nothing is done: raise one"),
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
            vary = false
            cut = 0

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
