"""Candidate plans: the best of each kind of plan, and their table beside the ticks."""

import json
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from agentic import (
    Agent,
    Decision,
    EnergyAgent,
    Purpose,
    Real,
    Record,
    Recording,
    Schedule,
    Sequence,
    Simplex,
    Softmax,
    UserError,
    make,
    run,
)
from agentic.runs.candidates import BYTES, Wanted
from agentic.runs.chunk import LARGEST, Block
from agentic.testing.parts import AllPlans, BayesRule
from agentic.testing.worlds import Coin, TwoPlaces
from tests.agentic.standins import Finite, Levels, Look
from tests.agentic.worlds import Echo, Walk

F64 = torch.float64
EYE = torch.eye(2, dtype=F64)


class TestPlans:
    actions = EYE[torch.tensor([[0, 0], [0, 1], [1, 0]])].unsqueeze(1)
    values = torch.tensor([[1.0, 3.0], [0.0, 3.0], [2.0, 1.0]], dtype=F64)
    plan = Sequence(actions, values, Simplex((2,)), {"effort": torch.ones(3, 1, dtype=F64), "pragmatic": values - 1})

    def test_each_row_has_its_own_best_sequences(self) -> None:
        found = self.plan.candidates(2, 1.0)
        assert found.actions[..., 1].tolist() == [[[0, 1], [1, 0]], [[0, 0], [0, 0]]]
        torch.testing.assert_close(found.probability[0], self.plan.weights(1.0)[[1, 2], [0, 1]])
        assert found.terms["pragmatic"].tolist() == [[-1, 0], [0, 2]]
        assert found.terms["effort"].tolist() == [[1, 1], [1, 1]]

    def test_all_of_them_share_one_probability(self) -> None:
        assert self.plan.candidates(9, 0.7).probability.sum(0).tolist() == pytest.approx([1, 1])

    def test_what_is_as_probable_is_ordered_by_energy(self) -> None:
        found = self.plan.candidates(3, inf)
        assert found.probability[:, 0].tolist() == [1, 0, 0]
        assert found.terms["pragmatic"][:, 0].tolist() == [-1, 0, 1]

    def test_habits_come_first(self) -> None:
        prior = torch.tensor([[0.9], [0.05], [0.05]], dtype=F64).log()
        found = Sequence(self.actions, self.values, Simplex((2,)), {}, prior).candidates(1, 1.0)
        assert found.actions[0, 0, :, 1].tolist() == [0, 0]
        assert found.terms["expected_energy"].tolist() == [[1, 3]]


@dataclass
class Planning(Agent):
    """Weighs two plans of two steps each: all lowest, then all highest; the second has an energy of 1 nat.

    Its `late`-th decision of an episode is the first whose plans have a term "effort" too.
    """

    low: Tensor
    high: Tensor
    late: int = 0

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.zeros(batch)

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        actions = torch.stack([self.low, self.high]).unsqueeze(1).expand(-1, len(obs), -1, -1)
        energies = torch.tensor([[0.0], [1.0]]).expand(2, len(obs))
        parts = {"pragmatic": energies} | ({"effort": 0 * energies} if state.max() >= self.late else {})
        plan = Sequence(actions, energies, Real(self.low.shape[-1:]), parts)
        return Decision(self.low[0].expand(len(obs), -1), state + 1, plan=plan)


def planning(late: int = 0) -> Planning:
    return Planning(torch.eye(2)[[0, 0]], torch.eye(2)[[1, 1]], late)


def shape(table: pa.Table, name: str) -> Any:
    return json.loads(table.schema.metadata[b"shapes"])[name]


def test_columns_are_those_of_the_format(tmp_path: Path) -> None:
    run(planning(), make(Walk, envs=2), Schedule(episodes=3), Recording(tmp_path, candidates=2))
    table = Record.open(tmp_path).candidates()
    keys = ["phase", "episode", "row", "t", "rank"]
    assert table.column_names == [*keys, "plan", "probability", "term.pragmatic", "term.effort"]
    ticks = Record.open(tmp_path).table(["phase", "episode", "row", "t"])
    found = table.select(keys[:4]).take(np.arange(0, len(table), 2))
    assert found.to_pylist() == ticks.to_pylist()
    assert table["rank"].to_pylist() == [0, 1] * len(ticks)
    assert table["plan"].to_pylist() == [[0, 0], [1, 1]] * len(ticks)
    assert table["probability"].to_pylist() == [1, 0] * len(ticks)
    assert table["term.pragmatic"].to_pylist() == [0, 1] * len(ticks)
    assert shape(table, "plan") == [-1]


def test_memory_and_folder_hold_the_same_and_ticks_stay_the_same(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("once", "again", "without")]
    for folder, count in zip(folders, (2, 2, 0), strict=True):
        run(planning(), Walk(), Schedule(episodes=80), Recording(folder, candidates=count), seed=3)
    once, again, without = (
        {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.parquet")} for folder in folders
    )
    assert once == again
    assert set(once) - set(without) == {f"candidates-{i:06d}.parquet" for i in range(len(without))}
    assert without.items() <= once.items()
    assert len(without) > 1
    record = Record.open(folders[0])
    assert record.candidates().equals(
        run(planning(), Walk(), Schedule(episodes=80), Recording(candidates=2), seed=3).candidates()
    )
    assert len(record.candidates()) == 2 * len(record.table())


def test_without_a_plan_there_is_no_table(tmp_path: Path) -> None:
    world = make(Walk())
    record = run(Coin(), world, Schedule(episodes=2), Recording(tmp_path, candidates=5))
    assert record.candidates().num_columns == 0
    assert not list(tmp_path.rglob("candidates-*"))
    assert run(planning(), Walk(), Schedule(episodes=1)).candidates().num_columns == 0


def test_a_term_that_comes_late_is_nan_before() -> None:
    table = run(planning(late=2), Walk(), Schedule(episodes=2), Recording(candidates=1)).candidates()
    missing = np.isnan(table["term.effort"].to_numpy())
    np.testing.assert_array_equal(missing, table["t"].to_numpy() < 2)


def test_actions_of_several_numbers_are_flat_with_their_shape() -> None:
    echo = Echo(spaces.Discrete(2), spaces.Box(-1, 1, (2, 3), np.float32))
    low, high = torch.full((2, 6), -0.5), torch.arange(12.0).view(2, 6)
    table = run(Planning(low, high), echo, Schedule(episodes=1), Recording(candidates=2)).candidates()
    assert shape(table, "plan") == [-1, 2, 3]
    plan = np.reshape(table["plan"][1].as_py(), shape(table, "plan"))
    assert plan.tolist() == [[[0, 1, 1], [1, 1, 1]], [[1, 1, 1], [1, 1, 1]]], "projected onto the box"


def test_a_dict_of_actions_has_a_column_for_each_key() -> None:
    space = spaces.Dict({"go": spaces.Discrete(2, start=3), "turn": spaces.Box(-1, 1, (1,), np.float32)})
    low, high = torch.tensor([[1.0, 0.0, -1.0]] * 2), torch.tensor([[0.0, 1.0, 0.5]] * 2)
    table = run(
        Planning(low, high), Echo(spaces.Discrete(2), space), Schedule(episodes=1), Recording(candidates=2)
    ).candidates()
    assert table["plan.go"].to_pylist()[:2] == [[3, 3], [4, 4]]
    assert table["plan.turn"].to_pylist()[:2] == [[-1, -1], [0.5, 0.5]]


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(UserError, match="candidates must be at least 0, got -1"):
        run(planning(), Walk(), Schedule(episodes=1), Recording(candidates=-1))


def test_many_candidates_make_shorter_chunks() -> None:
    world = make(Walk)
    plain, wide = Block(0, 5000, world), Block(0, 5000, world, Wanted(100))
    assert plain.room == 8192 - 5000
    assert wide.room == LARGEST // (72 + 100 * BYTES)


def test_those_of_an_energy_agent_add_up_to_the_tick() -> None:
    truth = TwoPlaces().true_model()
    model = Finite([[0.9, 0.2], [0.1, 0.8]], truth["B"][0], truth["D"][0])
    agent = EnergyAgent(model, Purpose(Levels([0.0, -0.5]), 2, Look()), BayesRule(), AllPlans(), selection=Softmax(3.0))
    record = run(agent, TwoPlaces(), Schedule(episodes=3), Recording(candidates=4))
    table, ticks = record.candidates(), record.table()
    q = table["probability"].to_numpy().reshape(-1, 4)
    energy = (table["term.pragmatic"].to_numpy() - table["term.state_gain"].to_numpy()).reshape(-1, 4)
    assert len(q) == len(ticks) == 30
    np.testing.assert_allclose(q.sum(1), 1)
    np.testing.assert_allclose((q * energy).sum(1), ticks["energy.expected_energy"].to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(q, np.exp(-3 * energy) / np.exp(-3 * energy).sum(1, keepdims=True), rtol=1e-6)
    assert (np.diff(q) <= 0).all()
    assert {tuple(plan) for plan in table["plan"].to_pylist()[:4]} == {(a, b) for a in range(2) for b in range(2)}
