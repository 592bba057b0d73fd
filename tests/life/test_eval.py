"""Evaluations of saved agents: the run's own returns again, and numbers that are known."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from agentic import Record, UserError
from agentic.runs import RunFolder, annotate
from agentic.runs.checkpoint import Checkpoint
from agentic_life import Evaluation, evaluate
from agentic_life.eval_command import evaluate as command
from tests.life.saved_runs import CART, recorded

NORMALIZED = {**CART, "wrappers": ["gymnasium.wrappers:NormalizeObservation"]}
ROCK: dict[str, Any] = {name: None for name in ("model", "goal", "inference", "planner", "learner")}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "tables",
    [
        {"run": {"envs": 2}},
        {"env": NORMALIZED, "run": {"seed": 3}},
        {**ROCK, "agent": {"name": "random"}, "learn": {}},
    ],
    ids=["two rows", "statistics of a wrapper", "nothing learned"],
)
def test_the_own_seed_has_the_returns_that_the_run_recorded(tables: dict[str, Any]) -> None:
    folder = recorded(**tables)
    seed = tables.get("run", {}).get("seed", 0)
    before = {each: each.stat().st_mtime_ns for each in folder.rglob("*")}
    found = evaluate(folder, seeds=1)
    own = Record.open(folder).returns()
    assert {key: each.tolist() for key, each in found.returns.items()} == {seed: own.tolist()}
    assert evaluate(folder, seeds=2, seed=seed + 1).returns.keys() == {seed + 1, seed + 2}
    both = evaluate(folder, seeds=2)
    alone = evaluate(folder, seeds=1, seed=seed + 1)
    assert both.returns[seed + 1].tolist() == alone.returns[seed + 1].tolist(), "no seed depends on those before"
    assert before == {each: each.stat().st_mtime_ns for each in folder.rglob("*")}


def test_the_agent_of_a_run_that_only_learned_is_evaluated_as_often_as_any() -> None:
    folder = recorded(evaluate={"episodes": 0})
    assert not len(Record.open(folder).returns())
    assert len(evaluate(folder, seeds=1).returns[0]) == 20


def test_an_agent_that_learned_on_another_device_is_evaluated_on_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = recorded()
    own, read = evaluate(folder, seeds=1).returns[0], Checkpoint.read

    def elsewhere(checkpoint: Checkpoint) -> Any:
        tree, tensors = read(checkpoint)
        text = json.dumps(tree)
        assert '"torch": ' in text
        return json.loads(text.replace('"torch": ', '"device": "cuda:7", "torch": ')), tensors

    monkeypatch.setattr(Checkpoint, "read", elsewhere)
    assert evaluate(folder, seeds=1).returns[0].tolist() == own.tolist()
    assert evaluate(folder, seeds=1, device="cpu").returns[0].tolist() == own.tolist()


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "cpu:1", "cuda:x", ""])
def test_a_device_that_is_not_here_is_one_sentence(device: str) -> None:
    folder = recorded(**ROCK, agent={"name": "random"}, learn={}, evaluate={"episodes": 1})
    with pytest.raises(UserError, match=r"finds no device .* choose another by --device, as cpu"):
        evaluate(folder, device=device)


def test_intervals_are_over_seeds() -> None:
    returns = {seed: np.array([seed, seed + 1.0, seed + 5.0]) for seed in range(6)}
    found = Evaluation("run", returns)
    means = np.arange(6) + 2.0
    mean, interval = found.mean
    reach = t.ppf(0.975, 5) * means.std(ddof=1) / np.sqrt(6)
    assert (mean, interval.low, interval.high) == pytest.approx((4.5, 4.5 - reach, 4.5 + reach))
    assert interval.method == "Student t over 6 seeds"
    value, around = found.interquartile_mean
    assert around is not None
    assert around == found.interquartile_mean[1], "always the same resamples"
    assert returns[0].min() <= around.low < value < around.high <= returns[5].max()
    assert found.notes == []
    fewer = Evaluation("run", {seed: returns[seed] for seed in range(4)})
    assert fewer.interquartile_mean[1] is None
    assert fewer.notes == ["an interval of the interquartile mean takes 5 seeds or more"]
    flat = Evaluation("run", {seed: np.full(3, 7.0) for seed in range(5)})
    assert flat.interquartile_mean[1] is not None
    assert flat.interquartile_mean[1].low == flat.interquartile_mean[1].high == 7.0


def test_what_too_few_returns_do_not_tell_is_a_dash_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded(**ROCK, agent={"name": "random"}, learn={})
    command.main([str(folder), "--episodes", "1", "--seeds", "3", "--quiet"], standalone_mode=False)
    said = capsys.readouterr()
    assert said.out.splitlines()[-2].count(" - ") == 2
    assert "the interquartile mean takes 4 returns or more" in said.err
    command.main([str(folder), "--episodes", "1", "--seeds", "3", "--json"], standalone_mode=False)
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["interquartile_mean"] == {"value": None, "low": None, "high": None}
    assert [row["seed"] for row in found["seeds"]] == [0, 1, 2]
    assert "seed 2 (3 of 3)" in said.err
    infinite = Evaluation("run", {seed: np.array([np.inf, -np.inf, 1.0, 2.0]) for seed in range(5)})
    json.dumps(infinite.to_dict(), allow_nan=False)


def test_what_cannot_be_evaluated_is_one_sentence() -> None:
    folder = recorded(agent={"name": "random"}, learn={}, **ROCK)
    for given, said in {"episodes": "episodes must be at least 1", "seeds": "seeds must be at least 1"}.items():
        with pytest.raises(UserError, match=said):
            evaluate(folder, **{given: 0})  # type: ignore[arg-type]
    with pytest.raises(UserError, match="is not the folder of a run"):
        evaluate("nowhere")
    (folder / "experiment.toml").write_text('[env]\nid = "CartPole-v1"\n[agent]\nname = "rule.py"\n')
    with pytest.raises(UserError, match="is not the one that the run was made from"):
        evaluate(folder)
    annotate(RunFolder(folder), experiment=sha256((folder / "experiment.toml").read_bytes()).hexdigest())
    with pytest.raises(UserError, match=r"names rule\.py, .* --trust"):
        evaluate(folder)
