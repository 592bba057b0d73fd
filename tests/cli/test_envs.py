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
