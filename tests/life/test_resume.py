"""A run that stops and goes on is, bit for bit, the run that never stopped: whatever learns, wherever."""

from pathlib import Path
from typing import Any

import pytest

import agentic
from agentic import Experiment
from agentic.cli import main
from agentic.errors import ThirdPartyWarning
from agentic.runs import RunFolder
from tests.life.resuming import example, lived, same, stopped_and_resumed

LEARNING = {
    **example("frozenlake"),
    "model": {"name": "categorical", "learn": ["B"]},
    "planner": {"name": "tree", "horizon": 3},
    "learner": {"name": "conjugate"},
    "learn": {"steps": 200},
}
HABIT: dict[str, Any] = {
    "env": {"id": "FrozenLake-v1"},
    "agent": {"name": "habit"},
    "learn": {"steps": 300},
    "evaluate": {"episodes": 6},
}
NORMAL = {
    **example("cartpole"),
    "env": {"id": "CartPole-v1", "wrappers": [{"name": "gymnasium.wrappers:NormalizeObservation"}]},
}
PAID = {**NORMAL, "env": {"id": "CartPole-v1", "wrappers": ["gymnasium.wrappers:NormalizeReward"]}}
FEW = ["evaluate.episodes=1", "learn.steps=80", "env.kwargs={max_episode_steps=20}"]
CASES: dict[str, tuple[dict[str, Any], list[str], int]] = {
    "habit learning": (HABIT, [], 100),
    "habit evaluated": (HABIT, ["learn.steps=20"], 45),
    "linear-Gaussian": (example("cartpole"), FEW, 50),
    "ours": (example("tmaze"), ["evaluate.episodes=12"], 9),
    "normalized": (NORMAL, FEW, 60),
    "paid in excess": (PAID, [*FEW, "learn.steps=81"], 95),
}
LONG: dict[str, tuple[dict[str, Any], list[str], int]] = {
    "categorical": (LEARNING, ["evaluate.episodes=5"], 150),
    "categorical evaluated": (LEARNING, ["evaluate.episodes=5"], 220),
    "ensemble": (example("continuous"), ["learn.steps=130", "evaluate.episodes=2"], 115),
    "ours, stochastic": (example("tiger"), ["evaluate.episodes=8"], 16),
    "hidden": (example("pendulum-hidden"), ["learn.steps=130", "learn.warmup=60", "evaluate.episodes=2"], 110),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("envs", [1, 8])
def test_a_run_goes_on_to_the_bit(name: str, envs: int, tmp_path: Path) -> None:
    tables, settings, ticks = CASES[name]
    most = {8: {"habit evaluated": 8, "habit learning": 30, "ours": 2, "paid in excess": 16}}.get(envs, {})
    at = most.get(name, ticks // envs)
    stopped_and_resumed(tables, [*settings, f"run.envs={envs}"], tmp_path, at)


@pytest.mark.parametrize(("name", "envs"), [("habit learning", 1), ("habit evaluated", 8), ("linear-Gaussian", 1)])
def test_its_progress_is_that_of_a_run_that_never_stopped(name: str, envs: int, tmp_path: Path) -> None:
    tables, settings, ticks = CASES[name]
    at = {"habit evaluated": 8}.get(name, ticks)
    stopped_and_resumed(tables, [*settings, f"run.envs={envs}"], tmp_path, at)
    full, cut = (RunFolder(tmp_path / each).progress for each in ("full", "cut"))
    assert full
    assert [untimed(line) for line in full] == [untimed(line) for line in cut]


def untimed(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key != "seconds"}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("envs", [1, 8])
def test_a_long_run_goes_on_to_the_bit(name: str, envs: int, tmp_path: Path) -> None:
    tables, settings, ticks = LONG[name]
    stopped_and_resumed(tables, [*settings, f"run.envs={envs}"], tmp_path, ticks // envs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("envs", [1, 8])
def test_a_saved_policy_goes_on_and_stays_in_its_file(envs: int, tmp_path: Path) -> None:
    model = pytest.importorskip("stable_baselines3").PPO("MlpPolicy", "CartPole-v1", seed=0, n_steps=64, device="cpu")
    model.learn(128)
    model.save(tmp_path / "policy")
    agent = {"name": "sb3", "path": str(tmp_path / "policy.zip")}
    tables = {"env": {"id": "CartPole-v1"}, "agent": agent, "evaluate": {"episodes": 10}}
    stopped_and_resumed(tables, [f"run.envs={envs}"], tmp_path, 30)


@pytest.mark.parametrize("envs", [1, 4])
def test_a_finished_run_that_learns_on_is_one_that_learned_longer(envs: int, tmp_path: Path) -> None:
    more = ["--steps", "+100"]
    full = lived(HABIT, [f"run.envs={envs}"], tmp_path / "full")
    assert lived(HABIT, [f"run.envs={envs}", "learn.steps=200"], tmp_path / "short")
    assert main(["run", "--resume", str(tmp_path / "short"), *more, "--quiet"]) == 0
    assert full is not None
    longer = agentic.Record.open(tmp_path / "short")
    same(full, longer)
    assert longer.manifest["returns"] == longer.returns().tolist() == full.returns().tolist()
    assert Experiment.load(tmp_path / "short/experiment.toml").learn.steps == 300


def test_checkpoints_are_as_many_in_evaluation_as_while_learning(tmp_path: Path) -> None:
    assert lived(HABIT, ["learn.steps=100", "run.checkpoint_steps=10"], tmp_path / "run", ticks=125) is None
    assert sorted(each.name for each in (tmp_path / "run").glob("checkpoint-*")) == [
        f"checkpoint-{ticks:012d}" for ticks in (110, 120)
    ]


RULE = """
calls = 0


def lean(observation):
    global calls
    calls += 1
    return calls % 3 % 2
"""


def test_what_a_file_keeps_in_its_module_is_not_saved_and_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "rule.py"
    file.write_text(RULE)
    tables = {"env": {"id": "CartPole-v1"}, "agent": {"name": str(file)}, "evaluate": {"episodes": 5}}
    with pytest.warns(ThirdPartyWarning, match=r"does not get back .*\.calls: its numbers may be others"):
        assert lived(tables, ["run.checkpoint_steps=10"], tmp_path / "run", ticks=25) is None
    with pytest.warns(ThirdPartyWarning, match=r"does not get back .*\.calls"):
        agentic.resume(tmp_path / "run", trust=True)
