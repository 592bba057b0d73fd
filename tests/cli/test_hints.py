"""What messages tell the user to type: it runs."""

import re
import shlex
from pathlib import Path

import pytest

from agentic.cli import main

BROKEN = "from agentic import hookimpl\n@hookimpl\ndef agentic_agents(): raise OSError('no disk')\n"
LAZY = """
from agentic import hookimpl
@hookimpl
def agentic_agents(): return {"lost": "there_is_no_such_module:Lost", "still": "agentic_agents.rock:Rock"}
"""
ODD = """
import gymnasium, numpy as np
from agentic import hookimpl

class Odd(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Box(-1, 1, (9, 9)), gymnasium.spaces.Discrete(2)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros((9, 9), np.float32), {}
    def step(self, action):
        self.t += 1
        if action == 1 and self.t == 3: raise OSError("motor on fire")
        return np.zeros((9, 9), np.float32), 0.0, False, self.t >= 5, {}

class Many(Odd):
    observation_space, action_space = gymnasium.spaces.MultiDiscrete([100, 100]), gymnasium.spaces.Discrete(2)
    def reset(self, *, seed=None, options=None): return np.zeros(2, np.int64), super().reset(seed=seed)[1]
    def step(self, action): return np.zeros(2, np.int64), *super().step(action)[1:]

@hookimpl
def agentic_envs(): return {"odd-one": Odd, "many": Many}
"""
SHORT = {
    "run": ["--episodes", "1", "--set", "env.kwargs.max_episode_steps=20"],
    "measure": ["--episodes", "1", "--metric", "episode_return", "--no-references", "--agent", "random"],
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my place").mkdir()
    monkeypatch.chdir(tmp_path / "my place")
    for name, source in {"broken.py": BROKEN, "lazy.py": LAZY, "odd.py": ODD}.items():
        Path(name).write_text(source)


def hints(text: str) -> list[list[str]]:
    """The commands within backquotes."""
    return [shlex.split(found)[1:] for found in re.findall(r"`(agentic [^`]*)`", " ".join(text.split("\n")))]


@pytest.mark.filterwarnings("ignore:.*joint observations are more than")
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("run", "agentic run --env CartPole-v1"),
        ("run --env many --plugin odd.py", "agentic run --env many --agent random --plugin"),
        ("run --env odd-one --plugin odd.py", "agentic run --env odd-one --agent random --plugin"),
        ("measure --env odd-one --plugin odd.py", "agentic run --env odd-one --agent random --plugin"),
        ("measure", "agentic measure --env CartPole-v1"),
        ("run --env Nowhere-v0 --agent random", "agentic envs"),
        ("run --env CartPole-v1 --agent rock --plugin broken.py --episodes 1", "agentic plugins check"),
        ("run --env CartPole-v1 --agent lost --plugin lazy.py", "agentic plugins check"),
        ("run --env CartPole-v1 --agent nobody --plugin broken.py", "agentic plugins check"),
        ("run --env odd-one --plugin odd.py --agent rock --set agent.action=1", "agentic show"),
        ("plugins why nothing-like-it", "agentic plugins --provides"),
        ("plugins check zzz", "agentic plugins"),
        ("nothing-like-it", "agentic --help"),
    ],
)
def test_what_a_message_says_to_type_runs(command: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(shlex.split(command))
    out, err = capsys.readouterr()
    found_hints = hints(out + err)
    assert any(shlex.join(["agentic", *hint]).startswith(expected) for hint in found_hints), err
    for hint in found_hints:
        code = main([*hint, *SHORT.get(hint[0], [])])
        said = capsys.readouterr().err
        checks_what_is_broken = hint[:2] == ["plugins", "check"] and code == 1
        assert code == 0 or checks_what_is_broken, f"`agentic {shlex.join(hint)}` said: {said}"
