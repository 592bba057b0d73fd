"""Candidate plans of an experiment's own agent, beside its ticks."""

from typing import Any

import numpy as np

from agentic import Experiment, build, load

TMAZE: dict[str, Any] = {
    "run": {"candidates": 16},
    "env": {"id": "agentic/TMaze-v0"},
    "agent": {"name": "energy", "selection": {"name": "softmax", "precision": 3.0}},
    "model": {"name": "categorical"},
    "goal": {"name": "log_preferences", "values": [[0, 0, 0, 0, 0], [0, 2, -6]]},
    "inference": {"name": "mirror"},
    "planner": {"name": "enumerate", "horizon": 2, "gain": {"name": "summed"}},
    "evaluate": {"episodes": 3},
}


def test_an_experiment_asks_for_them_and_they_add_up_to_the_tick() -> None:
    record = build(Experiment.of(TMAZE), load()).run()
    table, ticks = record.candidates(), record.table()
    q = table["probability"].to_numpy().reshape(-1, 16)
    energy = (table["term.pragmatic"].to_numpy() - table["term.state_gain"].to_numpy()).reshape(-1, 16)
    assert len(q) == len(ticks) == 12
    np.testing.assert_allclose(q.sum(1), 1)
    np.testing.assert_allclose((q * energy).sum(1), ticks["energy.expected_energy"].to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(q, np.exp(-3 * energy) / np.exp(-3 * energy).sum(1, keepdims=True), rtol=1e-6)
    assert (np.diff(q) <= 0).all()
    assert {tuple(plan) for plan in table["plan"].to_pylist()[:16]} == {(a, b) for a in range(4) for b in range(4)}


def test_a_greedy_tree_does_its_best_candidate() -> None:
    tables = TMAZE | {"agent": {"name": "energy"}, "planner": TMAZE["planner"] | {"name": "tree"}}
    record = build(Experiment.of(tables), load()).run()
    table = record.candidates()
    first = table["plan"].to_pylist()[::4]
    assert first == [[action] for action in record.table()["action"].to_pylist()]
    assert table["probability"].to_numpy().reshape(-1, 4)[0].tolist() == [1, 0, 0, 0]
