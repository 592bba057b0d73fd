"""Enumeration: all sequences in order, its limit, and what it cannot enumerate."""

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Categorical,
    Clamped,
    ExpectedEnergy,
    Goal,
    LatentGoal,
    Model,
    ObservationGoal,
    Purpose,
    Sequence,
    Step,
    UserError,
    minimize,
)
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.table import Table
from agentic_optimizers.enumerate import Enumerate

F64 = torch.float64
MODEL = CategoricalModel.example()
GOAL = LogPreferences([[0.0, 1.0]])
WORDS: Any = ("much",)


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
    with pytest.raises(UserError, match=r"would imagine 2\^20000 sequences \(2 actions, horizon 20000\)"):
        minimize(objective(20_000), Enumerate())


def test_it_enumerates_discrete_actions_of_an_expected_energy() -> None:
    table = Table.example()
    with pytest.raises(UserError, match="enumerate needs the expected energy of discrete actions, got Clamped"):
        minimize(Clamped(table, None, table.domain), Enumerate())
    linear = LinearGaussian([[1.0]], [[1.0]], Q=[1.0], R=[1.0])
    with pytest.raises(UserError, match="enumerate needs the expected energy of discrete actions"):
        minimize(ExpectedEnergy(linear, linear.begin(1), Purpose(QuadraticGoal([1.0]))), Enumerate())


class Settled(ObservationGoal):
    """Minus the entropy of what is expected to be seen: no mean over states, whatever `forward` says."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        energy: Tensor = torch.special.xlogy(z, z).sum(-1)
        return energy


class Nearer(LatentGoal):
    """Written out in `expected`, and not linear in the belief."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return z[..., 0]

    def expected(self, model: Model, step: Step) -> Tensor:
        return (step.after.mean[..., 0] - step.before.mean[..., 0]) ** 2


@pytest.mark.parametrize("terminal", [None, Settled(), LogPreferences([[0.0, 1.0]])])
@pytest.mark.parametrize("goal", [Settled(), Nearer(), LogPreferences([[0.0, 1.0]])])
def test_goals_that_are_not_linear_in_the_belief_are_imagined_step_by_step(goal: Goal, terminal: Goal | None) -> None:
    f = ExpectedEnergy(MODEL, MODEL.begin(1), Purpose(goal, 2, SummedGain(), terminal=terminal))
    plan = minimize(f, Enumerate()).belief
    assert isinstance(plan, Sequence)
    assert_close(plan.values, f(plan.actions))


def two_controls() -> CategoricalModel:
    """A place that one control moves and a side that the other turns."""
    move = [[[0.9, 0.1, 0.5], [0.2, 0.7, 0.4]], [[0.1, 0.9, 0.5], [0.8, 0.3, 0.6]]]
    turn = [[[1.0, 0.2], [0.0, 0.7]], [[0.0, 0.8], [1.0, 0.3]]]
    look = [[[0.9, 0.4], [0.3, 0.2]], [[0.1, 0.6], [0.7, 0.8]]]
    return CategoricalModel([look], [move, turn], [[0.5, 0.5], [0.8, 0.2]], dependencies={"B_actions": [[0], [1]]})


class TestListedPlans:
    def test_only_these_are_weighed_and_each_is_worth_what_it_is_among_all(self) -> None:
        f = objective(3, batch=2)
        every, some = minimize(f, Enumerate()).belief, minimize(f, Enumerate(plans=((1, 0, 1), (0, 0, 0)))).belief
        assert isinstance(every, Sequence)
        assert isinstance(some, Sequence)
        assert_close(some.values, every.values[[0b101, 0]])
        assert_close(some.actions, every.actions[[0b101, 0]])
        assert_close(some.parts["pragmatic"], every.parts["pragmatic"][[0b101, 0]])
        assert_close(some.weights(2.0), torch.softmax(-2 * some.values, 0))

    def test_plans_of_several_controls(self) -> None:
        model = two_controls()
        f = ExpectedEnergy(model, model.begin(1), Purpose(GOAL, 2, SummedGain()))
        every = minimize(f, Enumerate()).belief
        some = minimize(f, Enumerate(plans=(((2, 1), (0, 1)), ((1, 0), (1, 1))))).belief
        assert isinstance(every, Sequence)
        assert isinstance(some, Sequence)
        rows = [(2 * 2 + 1) * 6 + 1, 2 * 6 + 3]  # joint actions count the last control fastest
        assert_close(some.values, every.values[rows])
        assert_close(some.actions, every.actions[rows])

    def test_a_prior_over_plans_goes_beside_habits(self) -> None:
        model = CategoricalModel(
            [[[0.9, 0.2], [0.1, 0.8]]],
            [[[[0.7, 0.1], [0.2, 0.6]], [[0.3, 0.9], [0.8, 0.4]]]],
            [[0.6, 0.4]],
            E=[0.8, 0.2],
        )
        f = ExpectedEnergy(model, model.begin(1), Purpose(GOAL, 2))
        plan = minimize(f, Enumerate(plans=((0, 1), (1, 1), (0, 0)), E=(0.5, 0.5, 0.0))).belief
        assert isinstance(plan, Sequence)
        weights = torch.tensor([[0.5 * 0.8 * 0.2], [0.5 * 0.2 * 0.2], [0.0]], dtype=F64) * torch.exp(-3 * plan.values)
        assert_close(plan.weights(3.0), weights / weights.sum())
        assert_close(plan.weights(), torch.where(plan.values == plan.values[:2].min(), 1.0, 0.0).to(F64))

    def test_a_prior_over_all_sequences(self) -> None:
        E = torch.linspace(1, 4, 4, dtype=F64) / 10
        plan = minimize(objective(2), Enumerate(E=tuple(E.tolist()))).belief
        assert isinstance(plan, Sequence)
        weights = E.unsqueeze(-1) * torch.exp(-plan.values)
        assert_close(plan.weights(1.0), weights / weights.sum())
        assert_close(plan.weights(0.0), E.unsqueeze(-1))

    @pytest.mark.parametrize(
        ("planner", "sentence"),
        [
            (Enumerate(plans=((0, 1, 0),)), r"plans expects numbers of actions \(plans, 2\) .*, got \(1, 3\)"),
            (Enumerate(plans=((0, 2),)), r"plans expects whole numbers of actions from 0 and below \[2\]"),
            (Enumerate(plans=((0, 1), (0,))), "plans expects lists of 2 numbers of actions, all of the same length"),
            (Enumerate(E=(0.5, 0.5)), r"E expects a probability for each of 4 plans, got shape \(2,\)"),
            (Enumerate(plans=((0, 1),), E=(0.0,)), "E expects a probability for each of 1 plans"),
            (Enumerate(plans=((0, 1),), E=(float("inf"),)), "E expects a probability for each of 1 plans, finite"),
            (Enumerate(plans=((0, 1),), E=WORDS), r"E expects a probability for each of 1 plans \(could not"),
        ],
    )
    def test_what_does_not_fit(self, planner: Enumerate, sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            minimize(objective(2), planner)


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
