"""Enumeration: all sequences in order, its limit, and what it cannot enumerate."""

from itertools import product

import pytest
import torch
from torch.testing import assert_close

from agentic import Categorical, Clamped, ExpectedEnergy, Purpose, Sequence, UserError, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.table import Table
from agentic_optimizers.enumerate import Enumerate

F64 = torch.float64
MODEL = CategoricalModel.example()
GOAL = LogPreferences([[0.0, 1.0]])


def objective(horizon: int, batch: int = 1) -> ExpectedEnergy:
    belief = MODEL.begin(batch)
    return ExpectedEnergy(MODEL, belief, Purpose(GOAL, horizon))


def test_every_sequence_once_with_the_last_action_fastest() -> None:
    plan = minimize(objective(3), Enumerate()).belief
    assert isinstance(plan, Sequence)
    order = [tuple(actions.argmax(-1).tolist()) for actions in plan.actions[:, 0]]
    assert order == list(product(range(2), repeat=3))


def test_each_row_of_a_batch_has_its_own_values() -> None:
    q = torch.tensor([[0.9, 0.1], [0.2, 0.8]], dtype=F64)
    both = minimize(objective(2).at(Categorical(q)), Enumerate()).belief
    assert isinstance(both, Sequence)
    for row in range(2):
        alone = minimize(objective(2).at(Categorical(q[[row]])), Enumerate()).belief
        assert isinstance(alone, Sequence)
        assert_close(both.values[:, [row]], alone.values)


def test_the_solution_is_the_best_of_them() -> None:
    f = objective(3)
    solution = minimize(f, Enumerate())
    plan = solution.belief
    assert isinstance(plan, Sequence)
    assert_close(solution.value, plan.values.amin(0))
    assert solution.evaluations == 8
    best = plan.actions[int(plan.values[:, 0].argmin())]
    assert_close(f(best), solution.value)


def test_its_limit_says_how_many_there_would_be() -> None:
    sentence = r"enumerate would imagine 1024 sequences \(2 actions, horizon 10\), more than its limit of 1000: shorten"
    with pytest.raises(UserError, match=sentence):
        minimize(objective(10), Enumerate(limit=1000))
    assert minimize(objective(10), Enumerate(limit=1024)).evaluations == 1024


def test_it_enumerates_discrete_actions_of_an_expected_energy() -> None:
    table = Table.example()
    with pytest.raises(UserError, match="enumerate needs the expected energy of discrete actions, got Clamped"):
        minimize(Clamped(table, None, table.domain), Enumerate())
    linear = LinearGaussian([[1.0]], [[1.0]], Q=[1.0], R=[1.0])
    with pytest.raises(UserError, match="enumerate needs the expected energy of discrete actions"):
        minimize(ExpectedEnergy(linear, linear.begin(1), Purpose(QuadraticGoal([1.0]))), Enumerate())


def test_what_habits_exclude_is_no_way_out() -> None:
    moves = torch.stack([torch.eye(2), torch.eye(2).flip(0)], -1)
    model = CategoricalModel([torch.eye(2)], [moves], [[1.0, 0.0]], E=[1.0, 0.0])
    for forbidden, refused in ((0, True), (1, False)):
        goal = LogPreferences([[-torch.inf if level == forbidden else 0.0 for level in range(2)]])
        objective = ExpectedEnergy(model, model.begin(1), Purpose(goal, 2))
        if refused:
            with pytest.raises(UserError, match="the energy is infinite everywhere Enumerate looked"):
                minimize(objective, Enumerate())
        else:
            assert float(minimize(objective, Enumerate()).value) == 0
