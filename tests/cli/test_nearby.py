"""Modules of the working folder, agents that are files, changed worlds, and pipes that nobody reads."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from agentic import Experiment, UserError, load
from agentic.cli import main
from agentic.cli.nearby import find_nearby
from agentic.experiments import untrusted
from agentic.experiments.memory import refused

pytestmark = pytest.mark.filterwarnings("default::agentic.errors.ThirdPartyWarning")
WORLDS = """
import gymnasium, numpy as np
import near_help

class Slider(gymnasium.Env):
    observation_space = gymnasium.spaces.Dict(x=gymnasium.spaces.Box(-1, 1, (1,)), said=gymnasium.spaces.Text(5))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return {"x": np.zeros(1, np.float32), "said": "begin"}, {}

    def step(self, action):
        return {"x": np.zeros(1, np.float32), "said": "on"}, near_help.PAID, False, False, {}

gymnasium.register("NearSlider-v0", entry_point=Slider, max_episode_steps=4)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with a module of worlds, which imports its neighbor, and nothing of it left behind."""
    (tmp_path / "near_worlds.py").write_text(WORLDS)
    (tmp_path / "near_help.py").write_text("PAID = 2.0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    known = set(gymnasium.registry)
    yield
    for name in ("near_worlds", "near_help"):
        sys.modules.pop(name, None)
    for name in set(gymnasium.registry) - known:
        del gymnasium.registry[name]


@pytest.mark.parametrize("id", ["near_worlds:NearSlider-v0", "near_worlds:NearSlider"])
def test_a_world_of_a_module_in_this_folder(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--env", id, "--agent", "random", "--episodes", "2"]) == 0
    out, err = capsys.readouterr()
    assert "8 [8, 8]" in out
    assert err.count("text in its observations, said, is left out") == 1


def test_a_class_that_nobody_registered(capsys: pytest.CaptureFixture[str]) -> None:
    limit = ("--set", "env.kwargs.max_episode_steps=3")
    assert main(["run", "--env", "near_worlds:Slider", "--agent", "random", "--episodes", "2", *limit]) == 0
    assert "6 [6, 6]" in capsys.readouterr().out


def test_other_commands_find_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["envs", "--check", "near_worlds:NearSlider-v0"]) == 0
    table = ["--agent", "random", "--metric", "episode_return", "--episodes", "2", "--quiet"]
    assert main(["measure", "--env", "near_worlds:NearSlider-v0", *table]) == 0
    Path("own.toml").write_text('env = {id = "near_worlds:NearSlider-v0"}\nagent = {name = "rock"}')
    assert main(["run", "own.toml", "--episodes", "1", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("near_worlds:NearSlidr-v0", "did you mean near_worlds:NearSlider-v0?"),
        ("near_worlds:Zuzu", "did you mean near_worlds:NearSlider-v0?"),
        ("near_worlds.py:NearSlider-v0", "is a file: from its folder, write near_worlds:NearSlider-v0"),
        ("no_such_module:X-v0", "needs the module 'no_such_module'"),
    ],
)
def test_what_is_nearly_right_is_suggested(id: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--env", id, "--agent", "random"]) == 2
    assert said in capsys.readouterr().err


def test_what_is_installed_is_not_looked_for_here() -> None:
    Path("gymnasium.py").write_text("raise SystemExit")
    find_nearby(["gymnasium:CartPole-v1", "CartPole-v1", "near_worlds"])
    assert os.getcwd() not in sys.path
    find_nearby(["near_worlds:NearSlider-v0"])
    assert sys.path[-1] == os.getcwd()


def test_what_only_a_received_folder_names_is_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--env", "near_worlds:NearSlider-v0", "--agent", "random", "--episodes", "2", "--out", "r", "--quiet"]
    assert main(["run", *common]) == 0
    (folder,) = Path("r").iterdir()
    tables = Experiment.load(folder / "experiment.toml").tables()
    assert list(untrusted(tables, load())) == ["near_worlds:NearSlider-v0"]
    sys.path.remove(os.getcwd())
    sys.modules.pop("near_worlds")
    del gymnasium.registry["NearSlider-v0"]
    metric = ["--metric", "episode_return", "--metric", "world_model_extraction", "--quiet"]
    main(["measure", str(folder), *metric])
    assert "used only with --trust" in capsys.readouterr().err
    assert "near_worlds" not in sys.modules
    main(["measure", str(folder), *metric, "--trust"])
    assert "near_worlds" in sys.modules


def test_an_agent_is_a_function_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("rule.py").write_text("def lean(obs):\n    return int(obs[2] > 0)\n\n\ndef _own(obs):\n    return 0\n")
    assert main(["run", "--env", "CartPole-v1", "--agent", "rule.py", "--episodes", "2"]) == 0
    metric = ["--metric", "episode_return", "--episodes", "2", "--quiet"]
    assert main(["measure", "--env", "CartPole-v1", "--agent", "rule.py:lean", *metric]) == 0
    Path("two.py").write_text("def left(obs):\n    return 0\n\n\ndef right(obs):\n    return 1\n")
    assert main(["run", "--env", "CartPole-v1", "--agent", "two.py"]) == 2
    assert "such things there: left, right: write two.py:Name" in capsys.readouterr().err


def test_an_agent_is_a_saved_policy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--env", "FrozenLake-v1", "--agent", "none.zip"]) == 2
    assert "no saved policy" in (err := capsys.readouterr().err) or "agentic[sb3]" in err


def test_a_changed_world_is_not_the_one_of_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    sure = ["--set", "env.kwargs.is_slippery=false"]
    assert main(["run", "--env", "FrozenLake-v1", *sure, "--explain"]) == 0
    assert "planned 6 steps ahead" in capsys.readouterr().err
    assert main(["run", "--env", "FrozenLake-v1", "--set", "env.kwargs.max_episode_steps=50", "--explain"]) == 0
    assert "as in the example made for it; but here env.kwargs.max_episode_steps=50\n" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["--help"], ["plugins", "--json"]])
def test_whoever_reads_may_leave(command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, "-m", "agentic", *command]
    done = subprocess.run(program, stdout=writing, stderr=subprocess.PIPE, cwd="/", timeout=100)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_run_that_ends_before_it_begins_leaves_no_folder(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, "-m", "agentic", "run", "--env", "FrozenLake-v1", "--agent", "random", "--episodes", "1"]
    done = subprocess.run(program, stdout=writing, stderr=writing, cwd=tmp_path, timeout=100)
    os.close(writing)
    assert done.returncode == 141
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_learner_without_experience_is_a_beginner(capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--metric", "episode_return", "--episodes", "2", "--no-references"]
    assert main(["measure", "--env", "CliffWalking-v1", "--agent", "habit", *common]) == 0
    assert "the agent habit has learned nothing, learn.steps is 0" in capsys.readouterr().err
    tables: dict[str, Any] = {
        "agent": 'name = "energy"',
        "model": 'name = "linear_gaussian"',
        "goal": 'name = "quadratic"\nweights = [1.0, 0.0, 1.0, 0.0]',
        "inference": 'name = "newton"',
        "planner": 'name = "riccati"\nhorizon = 3\neffort = {name = "effort", scale = 1.0}',
        "env": 'id = "CartPole-v1"',
    }
    Path("own.toml").write_text("\n".join(f"[{name}]\n{table}\n" for name, table in tables.items()))
    assert main(["run", "own.toml", "--episodes", "1"]) == 0
    assert "nothing learns it: give it a table [learner]" in capsys.readouterr().err


def test_memory_that_is_not_there_is_not_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    Path("near_wide.py").write_text(
        WORLDS.replace("(1,)", "(300_000,)").replace("zeros(1,", "zeros(300_000,").replace("NearSlider", "NearWide")
    )
    example = Path(__file__).parents[2] / "examples" / "continuous.toml"
    settings = ["env.id=near_wide:NearWide-v0", "goal.name=predicted_reward", "model.reward=true"]
    assert main(["run", str(example), *(f"--set={setting}" for setting in settings)]) == 2
    err = capsys.readouterr().err
    assert "the agent energy asks for 720.0 GB at once in NearWide-v0, which shows 300,000 numbers" in err
    sys.modules.pop("near_wide")


def test_how_much_was_asked_for_is_read_from_what_was_raised() -> None:
    assert refused(UserError("no")) == ""
    assert refused(MemoryError()) == "much memory"
    assert refused(MemoryError("Unable to allocate 18.5 GiB for an array")) == "18.5 GiB"
    outer = UserError("the parts do not fit")
    outer.__cause__ = RuntimeError("can't allocate memory: you tried to allocate 18190264360 bytes")
    assert refused(outer) == "18.2 GB"
