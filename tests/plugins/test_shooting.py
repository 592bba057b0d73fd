"""Planning by the gradient: what it finds where the answer is known, and what it refines."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Box,
    CertaintyEquivalentEnergy,
    Clamped,
    Energy,
    ExpectedEnergy,
    Point,
    Purpose,
    Real,
    RunError,
    Sequence,
    UserError,
    minimize,
)
from agentic.testing.worlds import Cart, bounded
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal, QuadraticLatentGoal
from agentic_optimizers.cem import CrossEntropy
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.riccati import Riccati
from agentic_optimizers.shooting import Shooting

F64 = torch.float64
STATES = torch.tensor([[1.0, 0.0], [-2.0, 0.5]], dtype=F64)
PURPOSE = Purpose(QuadraticLatentGoal([2.0, 0.5]), 6, effort=Effort([0.1]))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("action", [None, bounded(-4.0, 4.0)])
def test_it_reaches_the_optimum_of_a_linear_problem(action: Any) -> None:
    exact = minimize(CertaintyEquivalentEnergy(Cart(), Point(STATES), PURPOSE), Riccati()).value
    f = CertaintyEquivalentEnergy(Cart(action), Point(STATES), PURPOSE)
    assert_close(minimize(f, Shooting(steps=150)).value, exact, rtol=1e-4, atol=0)


def test_bounds_hold_and_its_residual_knows_them() -> None:
    bowl = Clamped(QuadraticGoal([1.0, 4.0], [3.0, 0.2]), None, Box(-torch.ones(2), torch.ones(2)))
    found = minimize(bowl, Shooting(steps=200))
    assert_close(found.belief.mean, torch.tensor([[1.0, 0.2]], dtype=F64), atol=1e-5, rtol=0)
    assert found.converged is not None
    assert found.converged.tolist() == [True]


def test_energies_never_rise() -> None:
    f = ExpectedEnergy(Cart(bounded(-4.0, 4.0)), Point(STATES), PURPOSE)
    assert bool((minimize(f, Shooting(rate=1.0)).trace.diff(dim=0) <= 0).all())


@pytest.mark.parametrize("seed", range(3))
def test_discrete_plans_are_relaxed_and_rounded(seed: int) -> None:
    draws = seeded(seed)
    A, B, D = (torch.softmax(2 * torch.randn(s, generator=draws), 0).tolist() for s in ((3, 3), (3, 3, 2), (3,)))
    model = CategoricalModel([A], [B], [D])
    f = ExpectedEnergy(model, model.begin(2), Purpose(LogPreferences([[0.0, 2.0, -1.0]]), 3))
    found = minimize(f, Shooting(steps=60))
    assert isinstance(found.belief, Sequence)
    assert torch.equal(f.domain.project(found.belief.actions), found.belief.actions)
    assert_close(f(found.belief.actions)[0], found.value)
    assert_close(found.value, minimize(f, Enumerate()).value, atol=0.02, rtol=0)


def test_it_refines_the_best_of_a_search() -> None:
    """Two wells: the gradient alone stays in the nearer one, the search finds the other, the gradient its bottom."""
    wells = Clamped(Wells(), None, bounded(-2.0, 2.0))
    start = torch.tensor([[-1.2]], dtype=F64)
    alone = minimize(wells, Shooting(steps=60), start)
    search = CrossEntropy(samples=64, elites=8, steps=2)
    searched = minimize(wells, search, start, generator=seeded())
    refined = minimize(wells, Shooting(steps=60, refine=search), start, generator=seeded())
    assert alone.belief.mean.item() < 0 < refined.belief.mean.item()
    assert refined.value.item() < searched.value.item() < alone.value.item()
    assert refined.evaluations == 128 + refined.steps


def test_without_steps_of_its_own_it_is_the_search() -> None:
    wells = Clamped(Wells(), None, bounded(-2.0, 2.0))
    start, search = torch.tensor([[-1.2]], dtype=F64), CrossEntropy(samples=64, elites=8, steps=2)
    searched = minimize(wells, search, start, generator=seeded())
    found = minimize(wells, Shooting(steps=0, refine=search), start, generator=seeded())
    assert_close(found.value, searched.value)
    assert found.steps == 0


def test_rounding_never_spoils_what_a_search_found() -> None:
    model = CategoricalModel(
        [[[0.9, 0.1], [0.1, 0.9]]], [[[[0.8, 0.3], [0.2, 0.7]], [[0.2, 0.7], [0.8, 0.3]]]], [[0.5, 0.5]]
    )
    f = ExpectedEnergy(model, model.begin(3), Purpose(LogPreferences([[0.0, 2.0]]), 4))
    search = CrossEntropy(samples=32, elites=4)
    found = minimize(f, search, generator=seeded()).value
    assert bool((minimize(f, Shooting(steps=4, refine=search), generator=seeded()).value <= found).all())


class Wells(Energy):
    """Wells at -1 and at 1, the second one deeper."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return ((z.square() - 1).square() - 0.3 * z).sum(-1)


@pytest.mark.parametrize("wrong", [{"steps": -1}, {"rate": 0.0}, {"rate": 2.0}])
def test_numbers_at_the_door(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="shooting expects steps >= 0 and 0 < rate <= 1"):
        Shooting(**wrong)


def test_real_vectors_are_taken_as_they_are() -> None:
    bowl = Clamped(QuadraticGoal([1.0], [30.0]), None, Real((1,)))
    assert minimize(bowl, Shooting(steps=300)).belief.mean.item() == pytest.approx(30, abs=1e-3)


def test_an_energy_without_a_slope_is_named() -> None:
    class Corner(Energy):
        """Its root has no slope at 0, where it starts."""

        def forward(self, x: Any, z: Tensor) -> Tensor:
            return (z * 0).sum(-1).square().sqrt()

    start = torch.tensor([[1.0], [2.0]], dtype=F64)
    with pytest.raises(RunError, match=r"without a slope: at the start of row 0 it is 0 nats .*Plan by search"):
        minimize(Clamped(Corner(), None, Real((1,))), Shooting(), start)
