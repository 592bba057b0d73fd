"""`agentic plugins check` of an environment whose truth is of another world."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
import gymnasium
from agentic import hookimpl
from agentic.testing.worlds import TwoPlaces

class Places(gymnasium.Env):
    "Two places, of which the second pays."

    def __init__(self, wrong="{wrong}"):
        self.inside, self.wrong = TwoPlaces(), wrong
        self.observation_space, self.action_space = self.inside.observation_space, self.inside.action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.inside.reset(seed=seed if seed is not None else int(self.np_random.integers(2**31)))

    def step(self, action):
        return self.inside.step(action)

    def true_model(self):
        truth = self.inside.true_model()
        if self.wrong == "move":
            truth["B"][0][:, 1, 0] = [0, 1]
        elif self.wrong == "reward":
            truth["rewards"][1, 0] = 0.2
        elif self.wrong == "end":
            truth["ends"][1] = 0.05
        return truth

@hookimpl
def agentic_envs(): return {"places": Places}
"""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param("nothing", "passed   true_model_is_lived", marks=pytest.mark.slow),
        ("move", "FAILED   true_model_is_lived: in state 1 action 0 led to the observation 0, which B and A exclude"),
        pytest.param("reward", "in state 1 action 0 pays 0.1 on average, where rewards", marks=pytest.mark.slow),
        pytest.param("end", "FAILED   true_model_is_lived: entering state 1, as in ", marks=pytest.mark.slow),
    ],
)
def test_a_wrong_truth_is_caught_with_state_and_action(tmp_path: Path, wrong: str, said: str) -> None:
    (tmp_path / "places.py").write_text(PLUGIN.replace("{wrong}", wrong))
    command = [sys.executable, "-m", "agentic", "plugins", "check", "places.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=os.environ)
    assert said in done.stdout, done.stdout + done.stderr
    assert done.returncode == (0 if wrong == "nothing" else 1)
