"""The cross-entropy method: what it finds where the answer is known."""

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from agentic import (
    Box,
    CertaintyEquivalentEnergy,
    Clamped,
    ExpectedEnergy,
    Gaussian,
    Point,
    Purpose,
    Real,
    Sequence,
    UserError,
    minimize,
)
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal, QuadraticLatentGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.table import Table
from agentic_optimizers.cem import CrossEntropy
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.riccati import Riccati

F64 = torch.float64
WIDE = Box(torch.full((1,), -5.0), torch.full((1,), 5.0))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_it_comes_close_to_the_riccati_optimum_of_a_small_linear_problem() -> None:
    model = LinearGaussian([[1.0, 0.2], [0.0, 1.0]], [[0.0], [0.2]], Q=[0.01, 0.01], R=[0.1, 0.1], action=WIDE)
    start = Gaussian(torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=F64), 0.1 * torch.eye(2, dtype=F64).expand(2, 2, 2))
    purpose = Purpose(QuadraticLatentGoal([2.0, 0.5]), 4, effort=Effort([0.1]))
    f = CertaintyEquivalentEnergy(model, start, purpose)
    best = minimize(f, Riccati()).value
    found = minimize(f, CrossEntropy(samples=300, elites=30, steps=25), generator=seeded())
    assert bool((found.value >= best - 1e-9).all())
    assert_close(found.value, best, atol=1e-3, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_it_finds_the_best_of_few_discrete_plans(seed: int) -> None:
    draws = seeded(seed)
    A, B, D = (torch.softmax(torch.randn(shape, generator=draws), 0).tolist() for shape in ((3, 3), (3, 3, 2), (3,)))
    model = CategoricalModel([A], [B], [D])
    f = ExpectedEnergy(model, model.begin(2), Purpose(LogPreferences([[0.0, 2.0, -1.0]]), 4))
    every = minimize(f, Enumerate())
    found = minimize(f, CrossEntropy(samples=64, elites=8, steps=6), generator=seeded(seed))
    assert_close(found.value, every.value)
    assert isinstance(found.belief, Sequence)
    assert torch.equal(f.domain.project(found.belief.actions), found.belief.actions)
    assert_close(ExpectedEnergy.total(found.belief.terms()), found.value)


def test_it_lowers_any_energy_over_a_bounded_box_or_a_simplex() -> None:
    bowl = Clamped(QuadraticGoal([1.0, 1.0], [0.3, -0.4]), None, Box(-torch.ones(2), torch.ones(2)))
    solution = minimize(bowl, CrossEntropy(steps=15), generator=seeded())
    assert isinstance(solution.belief, Point)
    assert_close(solution.belief.z, torch.tensor([[0.3, -0.4]], dtype=F64), atol=1e-2, rtol=0)
    table = Table([[3.0, 1.0], [0.5, 2.0]])
    solution = minimize(Clamped(table, None, table.domain), CrossEntropy(16, 4), generator=seeded())
    assert solution.belief.mean.tolist() == [[0, 1, 1, 0]]


def test_the_best_seen_is_kept() -> None:
    bowl = Clamped(QuadraticGoal([1.0]), None, Box(-torch.ones(1), torch.ones(1)))
    trace = minimize(bowl, CrossEntropy(samples=8, elites=2, steps=20), generator=seeded()).trace
    assert bool((trace.diff(dim=0) <= 0).all())


def test_candidates_are_counted() -> None:
    bowl = Clamped(QuadraticGoal([1.0]), None, Box(-torch.ones(1), torch.ones(1)))
    assert minimize(bowl, CrossEntropy(samples=8, elites=2, steps=3), generator=seeded()).evaluations == 24


@pytest.mark.parametrize("domain", [Real((1,)), Box(torch.zeros(1), torch.full((1,), float("inf")))])
def test_unbounded_domains_are_refused(domain: Any) -> None:
    with pytest.raises(
        UserError, match=r"cem needs bounded boxes or discrete variables, got .*: bound the action space"
    ):
        minimize(Clamped(QuadraticGoal([1.0]), None, domain), CrossEntropy())


@pytest.mark.parametrize("wrong", [{"elites": 0}, {"elites": 300}, {"steps": 0}, {"smoothing": 1.0}, {"hold": 0}])
def test_numbers_at_the_door(wrong: dict[str, Any]) -> None:
    with pytest.raises(
        UserError, match="cem expects 1 <= elites <= samples, 0 <= smoothing < 1, steps >= 1, 0 < spread"
    ):
        CrossEntropy(**wrong)


def test_a_plan_over_real_actions_is_bounded_by_the_action_space() -> None:
    model = LinearGaussian([[1.0]], [[1.0]], Q=[0.1], R=[0.1])
    f = ExpectedEnergy(model, model.begin(1), Purpose(QuadraticGoal([1.0]), 2))
    with pytest.raises(UserError, match="bound the action space"):
        minimize(f, CrossEntropy())
