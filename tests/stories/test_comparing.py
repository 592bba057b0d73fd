"""Three agents on five seeds: run, found, compared, and told apart."""

import json
from pathlib import Path
from typing import Any

import pytest

import agentic
from agentic.cli import main
from agentic_report import compare, find_runs

CART = {"id": "CartPole-v1", "kwargs": {"max_episode_steps": 30}}
EFFORT = {"name": "effort", "scale": 0.2}
LEARNING: dict[str, Any] = {
    "agent": {"name": "energy", "selection": {"name": "greedy"}},
    "model": {"name": "linear_gaussian", "prior_precision": 1e-8},
    "goal": {"name": "quadratic", "weights": [1.0, 0.0, 1.0, 0.0]},
    "inference": {"name": "newton"},
    "learner": {"name": "conjugate"},
    "learn": {"steps": 40, "warmup": 20},
}
AGENTS: dict[str, dict[str, Any]] = {
    "far": {**LEARNING, "planner": {"name": "riccati", "horizon": 20, "effort": EFFORT}},
    "near": {**LEARNING, "planner": {"name": "riccati", "horizon": 1, "effort": EFFORT}},
    "random": {"agent": {"name": "random"}},
}


@pytest.mark.timeout(300)
def test_three_agents_on_five_seeds_are_found_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    for seed in range(5):
        for tables in AGENTS.values():
            agentic.run({"env": CART, "evaluate": {"episodes": 5}, **tables}, seed=seed, out=runs)

    assert len(find_runs(runs)) == 15
    far = find_runs(runs, where=["planner.horizon=20"], sort="seed")
    assert [(row.seed, row.steps, row.episodes, row.status) for row in far] == [
        (s, 40, 5, "finished") for s in range(5)
    ]
    assert far[0].mean == pytest.approx(agentic.Record.open(far[0].folder).returns().mean())

    found = compare(runs)
    assert [group.label for group in found.groups] == ["energy, horizon=20", "energy, horizon=1", "random, no horizon"]
    assert found.paired
    assert found.estimates[0].value == 30, "the pole stands until the end"
    assert found.differences[1].adjusted is not None
    assert found.verdict(found.differences[1]) == "below"

    assert main(["compare", str(runs), "--json", "--html", str(tmp_path / "page.html")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["differences"][1]["verdict"] == "below"
    assert (tmp_path / "page.html").stat().st_size > 1_000_000
