"""What goes wrong is told in one sentence with the right exit code, and what was recorded stays readable."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentic import Record
from agentic.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
PLUGIN = '''
import gymnasium, numpy as np
from agentic import hookimpl

class Failing(gymnasium.Env):
    """Goes wrong in its second episode, in one of several ways."""
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)
    def __init__(self, how="raise"): self.how, self.episode = how, -1
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.episode = 0, self.episode + 1
        return np.zeros(2, np.float32), {}
    def step(self, action):
        self.t += 1
        observation, reward = np.zeros(2, np.float32), 1.0
        if self.episode == 1 and self.t == 3:
            if self.how == "raise": raise OSError("motor on fire")
            if self.how == "observation": observation[0] = np.nan
            if self.how == "reward": reward = float("nan")
        return observation, reward, False, self.t >= 5, {}

@hookimpl
def agentic_envs(): return {"failing": Failing}
'''


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("failing.py").write_text(PLUGIN)
    Path("malformed.toml").write_text("[run]\nseed = = 3\n")
    Path("file").touch()


TMAZE = str(EXAMPLES / "tmaze.toml")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--env", "CartPol-v1", "--agent", "random"], "CartPole-v1"),
        (["--env", "CartPole-v1", "--agent", "randon"], "did you mean 'random'"),
        ([TMAZE, "--set", "planner.name=tre"], "did you mean 'tree'"),
        ([TMAZE, "--set", "env.id=CartPole-v1"], "CartPole"),
        (["malformed.toml"], "line 2"),
        (["missing.toml"], "missing.toml"),
        ([TMAZE, "--episodes", "-1"], "got -1"),
        ([TMAZE, "--seed", "-1"], "got -1"),
        ([TMAZE, "--steps", "-1"], "got -1"),
        ([TMAZE, "--envs", "0"], "got 0"),
        ([TMAZE, "--out", "file/runs"], "file/runs"),
        ([TMAZE, "--plugin", "missing.py"], "missing.py"),
        ([], "--env"),
        ([TMAZE, "--env", "CartPole-v1"], "--env"),
    ],
)
def test_mistakes(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("how", "said"),
    [("raise", "OSError: motor on fire"), ("observation", "is not finite"), ("reward", "the reward is nan")],
)
def test_failing_environment(how: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    world = ["--env", "failing", "--plugin", "failing.py", "--set", f"env.kwargs.how={how}"]
    assert main(["run", *world, "--agent", "random", "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    last = err.splitlines()[-1]
    assert said in last
    assert "episode 1, step 2" in last
    folder = Path("runs/0001-failing-random")
    assert f"agentic show {folder}" in last
    record = Record.open(folder)
    assert record.manifest["status"] == "failed"
    assert record.table().num_rows == 7
    assert record.returns().tolist() == [5.0]
    assert main(["show", str(folder)]) == 0
    assert "status: failed" in capsys.readouterr().out


def start(*arguments: str, file_limit: int | None = None) -> subprocess.Popen[str]:
    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs the tests in the background ignores Ctrl-C
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    command = [sys.executable, "-m", "agentic", "run", *arguments]
    pipe = subprocess.PIPE
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AGENTIC_")}
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=prepare, env=environ)


def test_full_disk() -> None:
    many = ("--env", "CartPole-v1", "--agent", "random", "--episodes", "2000")
    process = start(*many, file_limit=40_000)  # room for the first chunks, not for all
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot be written: File too large" in err.splitlines()[-1]
    record = Record.open("runs/0001-cartpole-v1-random")
    assert record.manifest["status"] == "failed"
    assert record.table().num_rows >= 256


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(number: signal.Signals) -> None:
    process = start("--env", "CartPole-v1", "--agent", "random", "--episodes", "1000000")
    folder = Path("runs/0001-cartpole-v1-random")
    until = time.monotonic() + 60
    while not list(folder.glob("ticks/ticks-*.parquet")) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"agentic show {folder}" in err
    assert "Traceback" not in err
    assert Record.open(folder).manifest["status"] == "interrupted"
    assert Record.open(folder).table().num_rows >= 256
