"""The improved cross-entropy method: what sets it apart. Common to all samplers: `test_mppi.py`."""

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from agentic import Clamped, ExpectedEnergy, Point, Purpose, Sequence, UserError, minimize
from agentic.testing.worlds import Cart, bounded
from agentic_energies.goals import Effort, QuadraticGoal, QuadraticLatentGoal
from agentic_optimizers.icem import Icem

F64 = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pushed() -> ExpectedEnergy:
    purpose = Purpose(QuadraticLatentGoal([2.0, 0.5]), 6, effort=Effort([0.1]))
    return ExpectedEnergy(Cart(bounded(-4.0, 4.0)), Point(torch.tensor([[1.0, 0.0], [-2.0, 0.5]], dtype=F64)), purpose)


def test_rounds_get_smaller_down_to_twice_the_elites() -> None:
    solver = Icem(samples=100, elites=10, shrink=2.0)
    assert [solver.count(rounds) for rounds in range(5)] == [100, 50, 24, 20, 20]
    bowl = Clamped(QuadraticGoal([1.0]), None, bounded(-1.0, 1.0))
    assert minimize(bowl, solver, steps=5, generator=seeded()).evaluations == 214


def test_elites_live_on_and_are_the_plan() -> None:
    f = pushed()
    plan = minimize(f, Icem(elites=10, keep=0.3), generator=seeded()).belief
    assert isinstance(plan, Sequence)
    assert plan.actions.shape == (3, 2, 6, 1)
    assert_close(f(plan.actions), plan.values)
    assert bool((plan.values.diff(dim=0) >= 0).all())


def test_elites_of_the_last_tick_are_candidates_of_the_next() -> None:
    """One step shifted, best first; they are looked at again, and what is better than all draws is still found."""
    f = pushed()
    plan = minimize(f, Icem(steps=20), generator=seeded()).belief
    assert isinstance(plan, Sequence)
    shifted = plan.shifted()
    assert isinstance(shifted, Sequence)
    assert shifted.actions.shape == (3, 2, 6, 1)
    assert_close(shifted.actions[0, :, :-1], plan.actions[0, :, 1:])
    found = minimize(f, Icem(steps=1, samples=20), shifted, generator=seeded(5))
    assert found.evaluations == 22
    assert bool((found.value <= f(shifted.actions).amin(0)).all())


@pytest.mark.parametrize("wrong", [{"elites": 65}, {"keep": 1.1}, {"shrink": 0.9}])
def test_numbers_at_the_door(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="icem expects 1 <= elites <= samples / 2, 0 <= keep <= 1, 1 <= shrink"):
        Icem(**wrong)
