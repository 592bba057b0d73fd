"""Descent: known steps, boxes, and what it does not descend in."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from agentic import Box, Clamped, ExpectedEnergy, Minimizer, Purpose, Real, UserError, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import LogPreferences, QuadraticGoal
from agentic_energies.table import Table
from agentic_optimizers.gradient import Adam, GradientDescent

F64 = torch.float64
START = torch.tensor([[4.0, -2.0]], dtype=F64)
BOWL = Clamped(QuadraticGoal([1.0, 2.0], [1.0, 1.0]), None, Real((2,)))


def test_one_step_of_descent() -> None:
    after = minimize(BOWL, GradientDescent(rate=0.1), START, steps=1).belief.mean
    assert_close(after, START - 0.1 * torch.tensor([[3.0, -6.0]], dtype=F64))


def test_momentum_keeps_going() -> None:
    solver = GradientDescent(rate=0.1, momentum=0.5)
    one = minimize(BOWL, solver, START, steps=1).belief.mean
    two = minimize(BOWL, solver, START, steps=2).belief.mean
    assert_close(two, one - 0.1 * (0.5 * BOWL.gradient(START) + BOWL.gradient(one)))


def test_adams_first_step_has_the_length_of_its_rate() -> None:
    after = minimize(BOWL, Adam(rate=0.1), START, steps=1).belief.mean
    assert_close(after, START + torch.tensor([[-0.1, 0.1]], dtype=F64), atol=1e-8, rtol=0)


@pytest.mark.parametrize("solver", [GradientDescent(rate=0.3), GradientDescent(rate=0.1, momentum=0.5), Adam(rate=0.2)])
@given(st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=5)
def test_it_arrives(solver: Minimizer, seed: int) -> None:
    start = torch.randn(3, 2, generator=torch.Generator().manual_seed(seed), dtype=F64)
    solution = minimize(BOWL, solver, start, steps=400)
    assert_close(solution.belief.mean, torch.ones(3, 2, dtype=F64), atol=2e-3, rtol=0)


@given(st.floats(0.01, 0.9))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_plain_descent_never_rises_below_twice_the_inverse_curvature(rate: float) -> None:
    trace = minimize(BOWL, GradientDescent(rate=rate), START, steps=30).trace
    assert bool((trace.diff(dim=0) <= 1e-12).all())


def test_in_a_box_it_stops_at_the_wall() -> None:
    box = Box(torch.tensor([-1.0, -1.0]), torch.tensor([0.5, 5.0]))
    f = Clamped(QuadraticGoal([1.0, 2.0], [1.0, 1.0]), None, box)
    after = minimize(f, GradientDescent(rate=0.3), START, steps=100).belief.mean
    assert_close(after, torch.tensor([[0.5, 1.0]], dtype=F64), atol=1e-6, rtol=0)


def test_discrete_variables_are_not_for_it() -> None:
    table = Table.example()
    with pytest.raises(UserError, match="gradient descends in real vectors or boxes, got a simplex: use mirror"):
        minimize(Clamped(table, None, table.domain), GradientDescent())
    model = CategoricalModel.example()
    plans = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences.example(), 2))
    with pytest.raises(UserError, match="adam descends in real vectors or boxes, got a simplex"):
        minimize(plans, Adam())


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"steps": -1}, {"rate": float("nan")}])
@pytest.mark.parametrize("solver", [GradientDescent, Adam])
def test_numbers_at_the_door(solver: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="descent expects steps >= 0 and rate > 0"):
        solver(**wrong)


def test_fractions_at_the_door() -> None:
    with pytest.raises(UserError, match=r"momentum must lie in \[0, 1\), got 1.0"):
        GradientDescent(momentum=1.0)
