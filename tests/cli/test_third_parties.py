"""What third parties print, how they leave and what never ends, on a command line of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
import os, subprocess, sys
print("greetings from a module")
os.write(1, b"greetings from a library in C\\n")
import gymnasium, numpy as np
from gymnasium import spaces
from agentic import Agent, hookimpl

class Loud(gymnasium.Env):
    observation_space, action_space = spaces.Box(-1, 1, (1,), np.float32), spaces.Discrete(2)
    metadata = {"render_modes": [], "ends_episodes": True}
    def __init__(self, render_mode=None, exits="", loud=True):
        self.exits, self.loud = exits, loud
        self._leave("init")
    def _leave(self, where):
        if self.loud:
            print("at", where)
        if where == self.exits:
            sys.exit(0)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._leave("reset")
        subprocess.run([sys.executable, "-c", "print('a process')"])
        return np.zeros(1, np.float32), {}
    def step(self, action):
        self._leave("step")
        return np.zeros(1, np.float32), 1.0, True, False, {}
    def close(self):
        self._leave("close")

class Forever(Loud):
    metadata = {"render_modes": []}
    def step(self, action):
        return np.zeros(1, np.float32), 1.0, False, False, {}

class Quits(Agent):
    @classmethod
    def from_env(cls, env, at: str = "decide"):
        return cls(at)
    def __init__(self, at):
        self.at = at
        if at == "init":
            sys.exit(0)
    def start(self, batch, *, generator):
        if self.at == "start":
            sys.exit(0)
    def decide(self, state, obs, *, generator):
        sys.exit(0)

@hookimpl
def agentic_envs(): return {"loud": Loud, "forever": Forever}
@hookimpl
def agentic_agents(): return {"quits": Quits}
"""


def agentic(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command line that loads the plugin."""
    (folder / "loud.py").write_text(PLUGIN)
    command = [sys.executable, "-m", "agentic", *arguments, "--plugin", "loud.py"]
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=environment)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_with_json_standard_output_is_one_object_whatever_others_print(tmp_path: Path) -> None:
    code, out, err = agentic(tmp_path, "run", "--env", "loud", "--agent", "random", "--episodes", "2", "--json")
    assert (code, json.loads(out)["return"]["values"]) == (0, [1.0, 1.0])
    for said in ("from a module", "from a library in C", "at step", "a process", "at close"):
        assert said in err
    code, out, err = agentic(tmp_path, "envs", "--json")
    assert (code, isinstance(json.loads(out), list), "from a library in C" in err) == (0, True, True)


@pytest.mark.parametrize("where", ["init", "reset", "step"])
def test_an_environment_that_exits_is_exit_code_one(tmp_path: Path, where: str) -> None:
    given = ("--episodes", "1", "--set", f"env.kwargs.exits={where}")
    code, out, err = agentic(tmp_path, "run", "--env", "loud", "--agent", "random", *given, "--json")
    assert (code, out) == (1, "")
    assert "SystemExit: 0" in err.splitlines()[-1]
    assert "loud" in err.splitlines()[-1]


def test_one_that_exits_while_closed_is_reported_after_its_result(tmp_path: Path) -> None:
    given = ("--episodes", "1", "--set", "env.kwargs.exits=close")
    code, out, err = agentic(tmp_path, "run", "--env", "loud", "--agent", "random", *given, "--json")
    assert (code, json.loads(out)["return"]["values"]) == (1, [1.0])
    assert "agentic: warning: " in err
    assert "broke while being closed, SystemExit: 0" in err


@pytest.mark.parametrize("at", ["init", "start", "decide"])
def test_an_agent_that_exits_is_exit_code_one(tmp_path: Path, at: str) -> None:
    given = ("--env", "loud", "--agent", "quits", "--episodes", "1", "--set", f"agent.at={at}")
    code, _, err = agentic(tmp_path, "run", *given)
    assert code == 1
    assert "SystemExit: 0" in err.splitlines()[-1]
    assert "quits" in err.splitlines()[-1].lower()


def test_an_endless_episode_is_cut_and_that_is_said(tmp_path: Path) -> None:
    given = ("--agent", "random", "--episodes", "1", "--json", "--set", "env.kwargs.loud=false")
    code, out, err = agentic(tmp_path, "run", "--env", "forever", *given)
    assert (code, json.loads(out)["return"]["values"]) == (0, [1000.0])
    assert "forever declares no step limit: its episodes are cut at 1,000 steps" in err
    (tmp_path / "endless.py").write_text(
        "import loud, gymnasium\ngymnasium.register('Endless-v3', entry_point=loud.Forever)\n"
    )
    code, out, err = agentic(tmp_path, "run", "--env", "endless:Endless-v3", *given)
    assert (code, json.loads(out)["return"]["values"]) == (0, [1000.0])
