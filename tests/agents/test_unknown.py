"""Worlds of which nothing is known but their spaces: what is proposed for them, and that it learns."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

import agentic_envs
from agentic import (
    Categorical,
    EnergyAgent,
    ExpectedEnergy,
    Experiment,
    Record,
    UserError,
    load,
    make,
    minimize,
    propose,
)
from agentic.cli import main
from agentic.experiments.build import build
from agentic_agents.defaults import proposal
from agentic_agents.unknown import learned, probed
from tests.agents.blackjack import value

assert agentic_envs
WORLD = """
import gymnasium, numpy as np
from gymnasium import spaces
from agentic import hookimpl

class Shell(gymnasium.Env):
    # A shell hides the pearl of one of three colors; who opens the other two loses it.
    observation_space = {space}
    action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.color, self.day = int(self.np_random.integers(3)), 0
        return self.shown(), {{}}

    def shown(self):
        return {shown}

    def step(self, action):
        self.day += 1
        paid, self.color = float(action == (self.color + self.day) % 3), int(self.np_random.integers(3))
        return self.shown(), 100 * paid, self.day == 3, False, {{}}

@hookimpl
def agentic_envs(): return {{"shell": Shell}}
"""
SPACES = {
    "discrete": ("spaces.Discrete(12, start=1)", "1 + 4 * self.color + self.day"),
    "multi": ("spaces.MultiDiscrete([3, 4])", "np.array([self.color, self.day])"),
}


class Many(gymnasium.Env[Any, Any]):
    """More than can be learned one by one."""

    observation_space, action_space = spaces.MultiDiscrete([100, 100]), spaces.Discrete(2)


def lived(*arguments: str) -> np.ndarray:
    assert main(["run", *arguments, "--quiet", "--out", "here"]) == 0
    return np.asarray(Record.open(max(Path("here").iterdir())).returns())


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", SPACES)
def test_a_world_of_your_own_is_learned_by_its_name_alone(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    space, shown = SPACES[kind]
    Path("shell.py").write_text(WORLD.format(space=space, shown=shown))
    returns = lived("--env", "shell", "--plugin", "shell.py", "--steps", "960", "--episodes", "16")
    assert returns.mean() > 290  # of 300; 100 by chance
    assert main(["run", "--env", "shell", "--plugin", "shell.py", "--explain"]) == 0
    reason = capsys.readouterr().err.splitlines()[0]
    assert "nothing is known of it but its spaces: what is observed is taken for the state, 12 of them" in reason


def test_blackjack_and_worlds_that_hide_their_truth_are_learned() -> None:
    for id, kwargs in {"Blackjack-v1": {}, "Taxi-v4": {"fickle_passenger": True}}.items():
        found = proposal(make(id, kwargs=kwargs))
        assert found is not None
        assert found.score == 0.5
        assert found.tables["planner"]["name"] == "value_iteration"


def test_changes_that_are_proposed_lie_around_those_that_were_given() -> None:
    given = {"name": "show_end"}
    found = propose({"id": "FrozenLake-v1", "changes": [given]}, load())
    assert found is not None
    assert [each["name"] for each in found.tables["env"]["changes"]] == ["show_end", "show_end"]


def test_too_many_observations_are_refused_with_their_number() -> None:
    with pytest.raises(UserError, match=r"its 10,000 joint observations are more than the 5,000"):
        learned(make(Many()), 100)


def test_what_random_actions_meet() -> None:
    assert probed(gymnasium.make("CliffWalking-v1"), 100) == (1.0, 100.0)
    met = probed(gymnasium.make("Blackjack-v1"), 1000)
    assert met.paid == 1.0
    assert 1 < met.length < 2
    assert probed(gymnasium.make("FrozenLake-v1"), 100, steps=1).length == 100  # no episode ended


def test_the_exact_value_of_a_policy_in_blackjack() -> None:
    returns, env = [], gymnasium.make("Blackjack-v1")
    for seed in range(400):
        (worth, _, _), _ = env.reset(seed=seed)
        over = False
        while not over:
            (worth, _, _), paid, over, _, _ = env.step(int(worth < 17))
            if over:
                returns.append(float(paid))
    assert abs(np.mean(returns) - value(lambda worth, card, usable: worth < 17)) < 2 * np.std(returns) / 20
    assert value(lambda *_: 0.5) == pytest.approx(-0.3959, abs=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(600)  # 20 s of processor time, but for a machine that is busy
def test_blackjack_is_learned_to_its_exact_value() -> None:
    found = propose("Blackjack", load())
    assert found is not None
    built = build(Experiment.of(found.tables, ["learn.steps=20000", "evaluate.episodes=16"]), load())
    built.run(None, None)
    agent: Any = built.agent
    assert isinstance(agent, EnergyAgent)
    sure = Categorical(torch.eye(707, dtype=torch.float64))
    plan: Any = minimize(ExpectedEnergy(agent.model, sure, agent.purpose), agent.planner).belief
    hits = plan.first_action().mean[:704, 1].reshape(32, 11, 2).tolist()
    assert value(lambda worth, card, usable: hits[worth][card][usable]) > -0.09  # of -.043; -.4 by chance
