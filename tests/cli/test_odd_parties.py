"""Environments, agents and goals that raise, print, close and return anything: one sentence with the right culprit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentic.cli import main

PLUGIN = """
import os, sys, threading
import gymnasium, numpy as np, torch
from gymnasium import spaces
from agentic import Agent, Decision, ObservationGoal, hookimpl

class Unsayable(Exception):
    def __str__(self): raise RuntimeError("of saying")
class Exit(BaseException): pass
class Shy:
    def __repr__(self): raise RuntimeError("of showing")
ZERO = np.zeros(4, np.float32)

class Odd(gymnasium.Env):
    observation_space, action_space = spaces.Box(-1, 1, (4,), np.float32), spaces.Discrete(2)
    metadata = {"render_modes": [], "ends_episodes": True}
    def __init__(self, render_mode=None, does="", at="step"):
        self.does, self.at = does, at
        self.act("init")
    def act(self, where):
        if where == self.at and self.does:
            return getattr(self, self.does)()
    def unsayable(self): raise Unsayable
    def own(self): raise Exit("of its own")
    def generator(self): raise GeneratorExit
    def escape(self): raise ValueError("a\\x1b[2J\\nb\\udcff")
    def long(self): raise ValueError("x" * 100_000)
    def nested(self): return self.nested()
    def leaves(self): os.chdir("/")
    def closes(self): sys.stdout.close(), sys.stderr.close()
    def thread(self):
        thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
    def shy_reward(self): return ZERO, Shy(), True, False, {}
    def shy(self): return Shy()
    def masked(self): return np.ma.masked_all(4, np.float32), 1.0, True, False, {}
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.act("reset")
        self.t = 0
        return ZERO.copy(), {}
    def step(self, action):
        self.t += 1
        answer = self.act("step") if self.t == 2 else None  # the first step is Gymnasium's to check
        return answer or (ZERO.copy(), 0.5, self.t == 2, False, {})
    def close(self): self.act("close")

class Acts(Agent):
    @classmethod
    def from_env(cls, env, does: str = ""):
        if does == "nothing":
            return None
        agent = cls()
        agent.does = does
        return agent
    def start(self, batch, *, generator): return None
    def decide(self, state, obs, *, generator):
        action = torch.tensor([[1.0, 0.0]])
        return getattr(self, self.does)(action) or Decision(action)
    def meta(self, action): return Decision(action.to("meta"))
    def sparse(self, action): return Decision(action.to_sparse())
    def meta_energy(self, action): return Decision(action, energies={"e": torch.ones(1, device="meta")})
    def sparse_energy(self, action): return Decision(action, energies={"e": torch.ones(1).to_sparse()})
    def half_name(self, action): return Decision(action, energies={"\\udcff": torch.ones(1)})
    def unsayable(self, action): raise Unsayable
    def own(self, action): raise Exit("of its own")

def goal(energy): return type("Odd", (ObservationGoal,), {"forward": lambda self, x, obs: energy(obs)})

@hookimpl
def agentic_envs(): return {"odd": Odd}
@hookimpl
def agentic_agents(): return {"acts": Acts}
@hookimpl
def agentic_energies():
    return {
        "one_number": goal(lambda obs: (obs**2).sum()), "kept_axis": goal(lambda obs: (obs**2).sum(-1, keepdim=True)),
        "first_axis": goal(lambda obs: (obs**2).sum(0)), "float": goal(lambda obs: 1.0), "none": goal(lambda obs: None),
        "complex": goal(lambda obs: (obs**2).sum(-1) * 1j), "infinite": goal(lambda obs: obs.sum(-1) + float("inf")),
        "minus_infinite": goal(lambda obs: obs.sum(-1) - float("inf")), "fine": goal(lambda obs: (obs**2).sum(-1)),
    }
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTIC_LOAD_PLUGINS", "agentic")
    Path("odd.py").write_text(PLUGIN)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the one line of standard error."""
    code = main(["run", "--plugin", "odd.py", "--quiet", "--episodes", "1", *arguments])
    err = capsys.readouterr().err
    lines = [line for line in err.splitlines() if "declares no step limit" not in line]
    assert len(lines) == 1, err
    assert lines[0].isprintable()
    assert len(lines[0]) < 700
    return code, lines[0]


@pytest.mark.filterwarnings("default::agentic.errors.CloseWarning")
@pytest.mark.parametrize("at", ["init", "reset", "step", "close"])
@pytest.mark.parametrize("does", "unsayable own generator escape long nested".split())
def test_an_environment_raises(does: str, at: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--env", "odd", "--agent", "random", "--set", f"env.kwargs.does={does}", "--set", f"env.kwargs.at={at}")
    code, line = said(capsys, *given)
    assert code == (2 if (does, at) in {("escape", "init"), ("long", "init")} else 1)
    assert "odd/odd" in line
    assert "RandomAgent" not in line


@pytest.mark.parametrize(
    ("does", "why"),
    [
        (
            "shy",
            "step returned other than (observation, reward, terminated, truncated, info), TypeError: cannot unpack",
        ),
        ("shy_reward", "the reward is a Shy"),
        ("masked", "the observation is a masked array"),
        ("thread", "a thread of somebody's code broke, ZeroDivisionError: division by zero"),
    ],
)
def test_an_environment_answers(does: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = said(capsys, "--env", "odd", "--agent", "random", "--set", f"env.kwargs.does={does}")
    assert (code, why in line) == (1, True), line


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("meta", "the agent's action is a tensor of torch.float32, layout torch.strided on the device meta"),
        ("sparse", "the agent's action is a tensor of torch.float32, layout torch.sparse_coo"),
        ("meta_energy", "Acts: its energies hold 'e', a tensor of layout torch.strided on the device meta"),
        ("sparse_energy", "Acts: its energies hold 'e', a tensor of layout torch.sparse_coo"),
        ("half_name", "Acts: its energies hold '\\udcff', a str, where the name of a term is wanted"),
        ("unsayable", "Acts in CartPole-v1, episode 0, step 0: Unsayable"),
        ("own", "Acts in CartPole-v1, episode 0, step 0: Exit: of its own"),
    ],
)
def test_an_agent_decides(does: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = said(capsys, "--env", "CartPole-v1", "--agent", "acts", "--set", f"agent.does={does}")
    assert (code, why in line) == (1, True), line
    manifest = json.loads(Path("runs/0001-cartpole-v1-acts/manifest.json").read_text())
    assert manifest["status"] == "failed"


def test_a_constructor_that_makes_nothing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = said(capsys, "--env", "CartPole-v1", "--agent", "acts", "--set", "agent.does=nothing")
    assert (code, line) == (2, "agentic: [agent] acts makes a NoneType, an Agent is wanted")


GIVEN = ("--env", "Pendulum-v1", "--set", "env.kwargs.max_episode_steps=2", "--set", "learn.steps=0")
WANTED = "expected a real tensor (1,), one number for each row"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("one_number", f"the energy 'pragmatic' of Odd is a tensor () of torch.float32, {WANTED}"),
        ("kept_axis", f"is a tensor (1, 1) of torch.float32, {WANTED}"),
        ("first_axis", f"is a tensor (3,) of torch.float32, {WANTED}"),
        ("float", f"is a float, {WANTED}"),
        ("none", f"is a NoneType, {WANTED}"),
        ("complex", f"is a tensor (1,) of torch.complex64, {WANTED}"),
        ("infinite", "the energy is infinite everywhere Evolution looked, in rows [0]"),
    ],
)
def test_a_goal_gives(name: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = said(capsys, *GIVEN, "--set", f"goal.name={name}")
    assert (code, why in line) == (2, True), line
    assert not Path("runs").exists()


def test_a_goal_without_a_minimum_is_named_where_it_was_met(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = said(capsys, *GIVEN, "--set", "goal.name=minus_infinite")
    assert (code, "step 0: Evolution met an energy of -inf in rows [0]: it has no minimum there" in line) == (
        1,
        True,
    ), line


def test_an_environment_that_leaves_the_working_directory_loses_no_record(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--quiet", "--plugin", "odd.py", "--set", "env.kwargs.does=leaves")
    assert main(["run", "--env", "odd", "--agent", "random", "--episodes", "3", *given]) == 0
    assert Path.cwd() == place
    assert main(["show", capsys.readouterr().out.strip()]) == 0


def test_an_environment_that_closes_the_streams_loses_no_answer(place: Path) -> None:
    line = "run --env odd --agent random --episodes 2 --plugin odd.py --set env.kwargs.does=closes".split()
    for options in ([], ["--json"]):
        command = [sys.executable, "-m", "agentic", *line, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ), check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
        assert "[1.0, 1.0]" in done.stdout if options else "return" in done.stdout


def test_a_file_is_an_agent_in_a_world_that_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    Path("zero.py").write_text("class Zero:\n    def predict(self, obs):\n        return 0\n")
    assert main(["run", "--env", "CartPole-v1", "--agent", "zero.py", "--episodes", "1", "--quiet"]) == 0


@pytest.mark.parametrize("code", ["raise SystemExit(0)", "raise ValueError('\\x1b[2J\\udcff')", "def f(): f()\nf()"])
def test_a_plugin_that_cannot_be_checked_is_reported(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.py").write_text(code)
    assert main(["plugins", "check", "bad.py"]) == 1
    out, err = capsys.readouterr()
    assert ("plugin bad: loading it failed" in out, err, "\x1b" in out) == (True, "", False)
    Path("loop.py").symlink_to("loop.py")
    assert main(["plugins", "check", "loop.py"]) == 2
    assert capsys.readouterr().err.startswith("agentic: expected a plugin file ending in .py")
