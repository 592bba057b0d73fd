"""The folded expected energy: the same numbers as imagining course by course, whatever is folded."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import Categorical, EnergyAgent, ExpectedEnergy, Greedy, Minimizer, Purpose, Sequence, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.cpt import Dense
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import LogPreferences
from agentic_energies.reward import Reward
from agentic_optimizers import folded, one_pass
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from agentic_optimizers.folded import fold
from agentic_optimizers.mcts import MonteCarloTree
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch

F64 = torch.float64


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    return np.moveaxis(draws.dirichlet(np.ones(shape[0]), shape[1:]), -1, 0)


def problem(seed: int, horizon: int, *, ends: bool, learned: bool, terminal: bool, reward: bool) -> ExpectedEnergy:
    """A random model of 4 states, 3 and 2 outcomes, 2 actions, and two rows of beliefs."""
    draws = np.random.default_rng(seed)
    seen, moves = [columns(draws, 3, 4), columns(draws, 2, 4)], [columns(draws, 4, 4, 2)]
    counts = [5 * a + 0.5 for a in seen] if learned else None
    over = draws.random(4) * (draws.random(4) < 0.6) if ends else None
    model = CategoricalModel(None if learned else seen, moves, [columns(draws, 4)], ends=over, counts=counts)
    prefer = LogPreferences([draws.normal(size=3).tolist(), draws.normal(size=2).tolist()], after=0.3)
    goal = Reward(draws.normal(size=(4, 2)), after=0.1) if reward else prefer
    gain = SummedGain("both" if learned else "states")
    purpose = Purpose(goal, horizon, gain, discount=0.9, terminal=prefer if terminal else None)
    return ExpectedEnergy(model, Categorical(torch.tensor(draws.dirichlet(np.ones(4), 2))), purpose)


def course_by_course(f: ExpectedEnergy, actions: Tensor) -> Mapping[str, Tensor]:
    """Every sequence (k, 1, T, a) on its own, (k, b)."""
    return {name: part.expand(len(actions), 2) for name, part in f.terms(actions).items()}


@settings(max_examples=40)
@given(st.integers(0, 2**16), st.integers(1, 3), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_every_part_of_every_course(
    seed: int, horizon: int, ends: bool, learned: bool, terminal: bool, reward: bool
) -> None:
    f = problem(seed, horizon, ends=ends, learned=learned, terminal=terminal, reward=reward)
    whole = fold(f)
    assert whole is not None
    assert (whole.one_pass is None) == (f.model.alive(torch.eye(4, dtype=F64)) is not None or terminal)
    plan = minimize(f, Enumerate()).belief
    assert isinstance(plan, Sequence)
    by_hand = course_by_course(f, plan.actions)
    assert plan.parts.keys() == by_hand.keys()
    for name, part in by_hand.items():
        assert_close(plan.parts[name], part, rtol=1e-12, atol=1e-12)


def test_level_by_level_and_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    f = problem(1, 3, ends=False, learned=True, terminal=False, reward=False)
    at_once = minimize(f, Enumerate()).belief
    monkeypatch.setattr(one_pass, "LARGEST", 0)
    monkeypatch.setattr(folded, "LEVEL", 1)  # one row at a time
    monkeypatch.setattr(folded, "BLOCK", 8)
    monkeypatch.setattr(folded, "_MADE", WeakKeyDictionary())
    whole = fold(f)
    assert whole is not None
    assert whole.one_pass is None
    by_level = minimize(f, Enumerate()).belief
    assert isinstance(at_once, Sequence)
    assert isinstance(by_level, Sequence)
    assert_close(by_level.values, at_once.values, rtol=1e-12, atol=1e-12)


def test_it_is_made_anew_when_model_or_goal_is_written_to() -> None:
    f = problem(2, 2, ends=False, learned=True, terminal=False, reward=False)
    before = fold(f)
    assert fold(f) is before
    assert isinstance(f.purpose.goal, LogPreferences)
    assert isinstance(f.model, CategoricalModel)
    f.purpose.goal.costs.mul_(2)
    after = fold(f)
    assert after is not before
    f.model.learned.counts("A")[0].alpha().add_(1)
    assert fold(f) is not after


@pytest.mark.parametrize("solver", [Enumerate(), TreeSearch(), MonteCarloTree()])
def test_plans_follow_what_is_replaced_in_model_or_goal(solver: Minimizer) -> None:
    """Buffers and modules that are others, not written to, and plain numbers: as if the model had been new."""
    f = problem(4, 2, ends=True, learned=False, terminal=True, reward=True)
    goal, terminal, model = f.purpose.goal, f.purpose.terminal, f.model
    assert isinstance(goal, Reward)
    assert isinstance(terminal, LogPreferences)
    assert isinstance(model, CategoricalModel)
    other = problem(5, 2, ends=True, learned=False, terminal=True, reward=True).model

    def scale() -> None:
        goal.scale = 3.0

    def prefer() -> None:
        terminal.values = [c + 1.0 for c in terminal.values]

    def see() -> None:
        seen = model.observation.cpts[0]
        assert isinstance(seen, Dense)
        seen.values = nn.Buffer(seen.values.flip(0))

    def outlive() -> None:
        model.going_on = nn.Buffer(model.going_on * 0.5)

    changes: list[Callable[[], object]] = [
        scale,
        prefer,
        outlive,
        lambda: setattr(goal, "after", -2.0),
        see,
        lambda: model.load_state_dict(other.state_dict(), assign=True),
        lambda: model.float().double(),
    ]
    before: Any = None
    for change in changes:
        before = minimize(f, solver, before, generator=torch.Generator().manual_seed(0)).belief
        change()
        again: Any = minimize(f, solver, before, generator=torch.Generator().manual_seed(0)).belief
        anew = ExpectedEnergy(*deepcopy((model, f.belief, f.purpose)))
        fresh: Any = minimize(anew, solver, generator=torch.Generator().manual_seed(0)).belief
        assert torch.equal(again.values, fresh.values)
        assert not torch.equal(again.values, before.values)
        before = again


def test_gains_that_need_more_than_the_belief_are_not_folded() -> None:
    f = problem(3, 2, ends=False, learned=False, terminal=False, reward=False)
    assert fold(ExpectedEnergy(f.model, f.belief, Purpose(f.purpose.goal, 2, JointGain()))) is None
    assert fold(ExpectedEnergy(f.model, f.belief, Purpose(LogPreferences([[0.0, -np.inf, 0], [0, 0]]), 2))) is None


@settings(max_examples=20)
@given(st.integers(0, 2**16), st.booleans())
def test_branches_are_bayes_rule(seed: int, ends: bool) -> None:
    f = problem(seed, 1, ends=ends, learned=False, terminal=False, reward=False)
    model, beliefs = f.model, f.belief.mean
    assert isinstance(model, CategoricalModel)
    found = model.branch(beliefs)
    survival = model.survival()
    going_on = torch.ones(4, dtype=F64) if survival is None else survival
    ahead = torch.einsum("bj,ija->bai", beliefs, model.dynamics()) * going_on
    joint = torch.einsum("bai,oi->baoi", ahead, model.likelihood()).unflatten(2, model.outcome.sizes)
    for row in range(len(found.chance)):
        own = joint[(found.node[row], found.action[row], *found.outcome[row])]
        assert_close(found.chance[row], own.sum())
        assert_close(found.after[row], own / own.sum())
    assert_close(found.chance.sum(), ahead.sum())


@settings(max_examples=20)
@given(st.integers(0, 2**16))
def test_exact_inference_is_what_mirror_converges_to(seed: int) -> None:
    f = problem(seed, 1, ends=False, learned=False, terminal=False, reward=False)
    draws = torch.Generator().manual_seed(seed)
    found = []
    for solver in (Exact(), Mirror()):
        agent = EnergyAgent(f.model, f.purpose, solver, Enumerate(), selection=Greedy())
        seen = f.model.outcome.draw(2, generator=torch.Generator().manual_seed(seed))
        found.append(agent.perceive(f.belief, seen, draws))
    assert_close(found[0].belief.mean, found[1].belief.mean, rtol=1e-12, atol=1e-14)
    assert_close(found[0].value, found[1].value)


def test_a_world_whose_states_are_seen_is_planned_on_its_states() -> None:
    draws = np.random.default_rng(5)
    moves, start = [columns(draws, 6, 6, 3)], [np.eye(6)[2]]
    reward, horizon = draws.normal(size=(6, 3)), 4
    model = CategoricalModel([np.eye(6)], moves, start, ends=[0, 0.5, 0, 0, 1, 0])
    f = ExpectedEnergy(model, model.begin(1), Purpose(Reward(reward), horizon))
    solution = minimize(f, TreeSearch())
    values = np.zeros(6)
    going_on = 1 - np.array([0, 0.5, 0, 0, 1, 0])
    for _ in range(horizon):
        energies = -reward + np.einsum("i,ija->ja", going_on * values, moves[0])
        q = np.exp(-energies + energies.min(1, keepdims=True))
        values = (q / q.sum(1, keepdims=True) * energies).sum(1)
    assert solution.evaluations == 6
    assert_close(solution.value, torch.tensor(values[2:3]))
