"""Joint outcomes listed modality by modality: those of the joint table, which is never made."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, ExpectedEnergy, FiniteModel, Purpose, UserError, make, minimize
from agentic.environments import Successors
from agentic_energies import branching
from agentic_energies.branching import outcomes, revealing
from agentic_energies.categorical import CategoricalModel
from agentic_energies.cpt import Listed, tabled
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_energies.reward import Reward
from agentic_envs.cuechain import CueChain
from agentic_optimizers.backups import Max
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64


def table(draws: np.random.Generator, size: int, columns: int) -> Tensor:
    """Columns of which some entries are zero."""
    weights = draws.random((size, columns)) * (draws.random((size, columns)) > 0.5)
    weights[draws.integers(size, size=columns), np.arange(columns)] += 0.5
    return torch.from_numpy(weights / weights.sum(0))


@settings(derandomize=True, deadline=None, max_examples=12)
@given(st.integers(0, 10_000), st.sampled_from([3, 80]))
def test_they_are_the_outcomes_of_the_joint_table_in_its_order(seed: int, states: int) -> None:
    draws = np.random.default_rng(seed)
    tables = [table(draws, size, states) for size in (2, 4, 3)]
    model = CategoricalModel(tables, [np.eye(states)[:, :, None]], [np.full(states, 1 / states)])
    mass = torch.from_numpy(draws.random((states, 5)) * (draws.random((states, 5)) > 0.7))
    whole = FiniteModel.outcomes(model, mass)
    for found, expected in zip(outcomes(model.observation.cpts, mass, 1e-14), whole, strict=True):
        assert_close(found, expected, atol=1e-12, rtol=0)


def test_whether_outcomes_give_states_away() -> None:
    rows, columns = (tabled(torch.eye(2, dtype=F64)[:, index], 0.0) for index in ([0, 0, 1, 1], [0, 1, 0, 1]))
    noise = tabled(torch.full((3, 4), 1 / 3, dtype=F64), 0.0)
    assert revealing([rows, columns])
    assert revealing([noise, rows, columns])
    assert not revealing([rows, noise])
    assert not revealing([noise] * 40)  # too much to list: it does not matter for what is planned


def test_more_outcomes_than_numbers_are_refused() -> None:
    noise = tabled(torch.full((2, 2), 0.5, dtype=F64), 0.0)
    with pytest.raises(UserError, match="there are more joint outcomes than numbers for them"):
        outcomes([noise] * 64, torch.ones(2, 1, dtype=F64), 0.0)


def test_a_tree_needs_no_joint_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: CategoricalModel) -> Tensor:
        raise AssertionError("a table of all joint outcomes, or of all pairs of states")

    monkeypatch.setattr(CategoricalModel, "likelihood", refused)
    monkeypatch.setattr(CategoricalModel, "dynamics", refused)
    model = CategoricalModel.from_env(make(CueChain()))
    preferences = [[0.0] * size for size in model.outcome.sizes[:-1]]
    purpose = Purpose(LogPreferences([*preferences, [0, 2, -4]]), 3, SummedGain(), discount=0.95)
    plan = minimize(ExpectedEnergy(model, model.begin(1), purpose), TreeSearch(Max()))
    first = 0.95 * np.log(4)  # of four cells, after two steps to the cue; and one step more tells nothing
    assert float(plan.value[0]) == pytest.approx(-first)


class Ring(gymnasium.Env[Any, Any]):
    """Cells in a ring, with the table of Gymnasium's toy-text worlds: a step either way slips one time in ten."""

    def __init__(self, cells: int = 1024) -> None:
        self.observation_space, self.action_space = Discrete(cells), Discrete(2)
        self.initial_state_distrib = np.eye(cells)[2]
        self.P = {
            s: {
                a: [
                    (0.9, (s + step) % cells, float((s + step) % cells == 0), (s + step) % cells == 0),
                    (0.1, s, 0.0, not s),
                ]
                for a, step in enumerate((-1, 1))
            }
            for s in range(cells)
        }


@pytest.mark.parametrize("made", [Ring, lambda: gymnasium.make("Taxi-v4")])
def test_worlds_given_as_tables_stay_lists(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Successors) -> None:
        raise AssertionError("a table of all pairs of states")

    monkeypatch.setattr(Successors, "dense", refused)
    env = make(made())
    model, goal = CategoricalModel.from_env(env), Reward.from_env(env)
    assert isinstance(model.transition.cpt, Listed)
    assert sum(buffer.numel() for buffer in model.buffers()) < 60 * model.latent.count
    start = Categorical(model.begin(1).mode)
    plan = minimize(ExpectedEnergy(model, start, Purpose(goal, 2, SummedGain())), TreeSearch(Max(), limit=10)).belief
    assert isinstance(plan, Tree)
    assert float(plan.parts["pragmatic"][:, 0].min()) == pytest.approx(-0.81 if made is Ring else 2)


@pytest.mark.parametrize("kind", [CategoricalModel, FactoredModel])
def test_more_than_can_be_held_is_refused(
    kind: type[CategoricalModel | FactoredModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fourteen modalities of two levels, of which anything can be seen: 16,384 outcomes of two actions."""
    draws = np.random.default_rng(0)
    seen = [np.moveaxis(draws.dirichlet(np.ones(2), 3), -1, 0) for _ in range(14)]
    model = kind(seen, [np.moveaxis(draws.dirichlet(np.ones(3), (3, 2)), -1, 0)], [np.full(3, 1 / 3)])
    monkeypatch.setattr(branching, "SMALL", 0)
    monkeypatch.setattr(branching, "LARGE", 0)
    monkeypatch.setattr(branching, "HELD", 2 * 2**14 * 3)
    assert len(model.branch(model.begin(1).mean).chance) == 2 * 2**14
    monkeypatch.setattr(branching, "HELD", 2 * 2**14 * 3 - 1)
    with pytest.raises(UserError, match=r"what may be seen next needs [0-9,]+ numbers, more than 98,303: leave"):
        model.branch(model.begin(1).mean)


def test_a_joint_state_out_of_reach_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty factors of two states, each moved by the same control: a trillion joint states."""
    look, move, first = np.eye(2), np.eye(2)[..., None].repeat(2, -1), [0.5, 0.5]
    lists = {"A": [[f] for f in range(40)], "B_actions": [[0]] * 40}
    arrays: Any = [look] * 40, [move] * 40, [first] * 40
    with pytest.raises(UserError, match=r"a table over the joint state would hold [0-9,]+ entries, .*: use factored"):
        CategoricalModel(*arrays, dependencies=lists)
    factored = FactoredModel(*arrays, dependencies=lists)
    f = ExpectedEnergy(factored, factored.begin(1), Purpose(Reward(np.zeros((4, 2))), 2))
    with pytest.raises(UserError, match="rewards of 4 states are asked about 1,099,511,627,776 states"):
        minimize(f, Enumerate())
    monkeypatch.setattr(branching, "HELD", 100_000)
    with pytest.raises(UserError, match="what may be seen next needs"):
        factored.branch(factored.begin(1).mean)
