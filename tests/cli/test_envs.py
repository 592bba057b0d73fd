"""`agentic envs`: what there is to act in."""

import json
from pathlib import Path

import pytest

from agentic.cli import main

PLUGIN = '''
import gymnasium
from agentic import hookimpl

class Turned(gymnasium.ActionWrapper):
    """Left is right."""
    def __init__(self, env, far=1): super().__init__(env)

class Picky(gymnasium.Env):
    """Needs an argument."""
    def __init__(self, size): self.size = size

@hookimpl
def agentic_envs(): return {"turned": Turned, "picky": Picky}
'''
DICE = """
import gymnasium, random
from agentic import hookimpl

class Dice(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Box(0, 1), gymnasium.spaces.Discrete(2)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.low + random.random() * 0.9, {}
    def step(self, action):
        return self.observation_space.low.copy(), 0.0, True, False, {}

@hookimpl
def agentic_envs(): return {"dice": Dice}
"""


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["envs"]) == 0
    out = capsys.readouterr().out
    for part in ("tmaze", "agentic/TMaze-v0", "MultiDiscrete([5 3])", "agentic run --env CartPole-v1 --agent random"):
        assert part in out


def test_json_with_a_plugin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "worlds.py").write_text(PLUGIN)
    assert main(["envs", "--json", "--plugin", str(tmp_path / "worlds.py")]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["tiger"]["action"] == "Discrete(3)"
    assert rows["turned"]["wrapper"]
    assert rows["turned"]["parameters"] == ["far"]
    assert rows["picky"]["summary"].startswith("cannot be made without arguments")


def test_whether_a_seed_decides_an_episode(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["envs", "--check", "FrozenLake"]) == 0
    assert capsys.readouterr().out == "FrozenLake-v1: a seed decides an episode, as far as a few steps show\n"
    (tmp_path / "dice.py").write_text(DICE)
    assert main(["envs", "--check", "dice", "--plugin", str(tmp_path / "dice.py")]) == 1
    assert "two resets with seed 3 differ in the observation, at once" in capsys.readouterr().out
    assert main(["envs", "--check", "nowhere"]) == 2
    assert "unknown environment 'nowhere'" in capsys.readouterr().err
