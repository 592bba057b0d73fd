"""L-BFGS: against SciPy's on curved valleys, row by row, and what it does not take."""

from typing import Any

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Box, Clamped, Energy, Real, Repeated, UserError, minimize
from agentic_energies.goals import QuadraticGoal
from agentic_optimizers.lbfgs import LBFGS

F64 = torch.float64


class Rosenbrock(Energy):
    """sum_i x (z_(i+1) - z_i^2)^2 + (1 - z_i)^2; x (b, 1) says how steep its walls are."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return (x * (z[..., 1:] - z[..., :-1] ** 2) ** 2 + (1 - z[..., :-1]) ** 2).sum(-1)


@pytest.mark.parametrize("size", [2, 6])
def test_as_scipy(size: int) -> None:
    """The same minimum of every row, for at most twice the evaluations that SciPy's line search takes."""
    steep = torch.tensor([[100.0], [10.0], [1.0]], dtype=F64)
    starts = torch.tensor([-1.2, 1.0], dtype=F64).repeat(size // 2).expand(3, size)
    ours = minimize(Clamped(Rosenbrock(), steep, Real((size,))), LBFGS(steps=300), starts)
    assert ours.converged is not None
    assert ours.converged.all()
    most = 0
    for row in range(3):
        f = Clamped(Rosenbrock(), steep[row : row + 1], Real((size,)))

        def with_gradient(z: Any, f: Clamped = f) -> tuple[float, Any]:
            value, slope = f.value_and_gradient(torch.as_tensor(z).unsqueeze(0))
            return float(value), slope[0].numpy()

        theirs = scipy.optimize.minimize(
            with_gradient, starts[row].numpy(), jac=True, method="L-BFGS-B", options={"gtol": 1e-9, "ftol": 1e-15}
        )
        most = max(most, theirs.nfev)
        assert np.abs(ours.belief.mean[row].numpy() - theirs.x).max() < 1e-5
        assert float(ours.value[row]) == pytest.approx(theirs.fun, abs=1e-10)
    assert ours.evaluations <= 2 * most


@given(st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=8)
def test_rows_together_are_rows_alone(seed: int) -> None:
    draws = torch.Generator().manual_seed(seed)
    x, start = 10 * torch.rand(4, 1, generator=draws, dtype=F64), torch.randn(4, 4, generator=draws, dtype=F64)
    whole = minimize(Clamped(Rosenbrock(), x, Real((4,))), LBFGS(), start, steps=8).belief.mean
    for row in range(4):
        part = slice(row, row + 1)
        alone = minimize(Clamped(Rosenbrock(), x[part], Real((4,))), LBFGS(), start[part], steps=8).belief.mean
        assert_close(whole[part], alone, atol=1e-9, rtol=0)


@given(st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=8)
def test_a_quadratic_takes_about_as_many_steps_as_it_has_dimensions(seed: int) -> None:
    draws = torch.Generator().manual_seed(seed)
    root, center = torch.randn(5, 5, generator=draws, dtype=F64), torch.randn(5, generator=draws, dtype=F64)
    weights = root @ root.T / 5 + 0.2 * torch.eye(5, dtype=F64)
    goal = QuadraticGoal((weights + weights.T) / 2, center)
    solution = minimize(Clamped(goal, None, Real((5,))), LBFGS(tolerance=1e-7), torch.zeros(2, 5, dtype=F64))
    assert solution.steps <= 25
    assert_close(solution.belief.mean, center.expand(2, 5), atol=1e-6, rtol=0)
    assert bool((solution.trace.diff(dim=0) <= 1e-12).all())


def test_memory_of_one_is_enough_to_arrive() -> None:
    f = Clamped(Rosenbrock(), torch.tensor([[10.0]], dtype=F64), Real((2,)))
    solution = minimize(f, LBFGS(steps=500, memory=1), torch.tensor([[-1.2, 1.0]], dtype=F64))
    assert_close(solution.belief.mean, torch.ones(1, 2, dtype=F64), atol=1e-6, rtol=0)


def test_converged_rows_wait_and_say_how_long_they_took() -> None:
    steep = torch.tensor([[100.0], [1.0]], dtype=F64)
    start = torch.tensor([[-1.2, 1.0], [1.0, 1.0]], dtype=F64)
    solution = minimize(Clamped(Rosenbrock(), steep, Real((2,))), LBFGS(), start)
    assert solution.diagnostics["steps"].tolist() == [solution.steps, 0]
    assert torch.equal(solution.belief.mean[1], start[1])


def test_where_nothing_is_lower_it_stays() -> None:
    class Walls(Energy):
        """Finite within the unit ball alone, and falling toward its wall."""

        def forward(self, x: Any, z: Tensor) -> Tensor:
            inside = z.square().sum(-1) < 1
            return torch.where(inside, -z[..., 0], torch.nan)

    solution = minimize(Clamped(Walls(), None, Real((2,))), LBFGS(steps=30), torch.zeros(1, 2, dtype=F64))
    assert 0.9 < float(solution.belief.mean[0, 0]) < 1
    assert solution.converged is not None
    assert not bool(solution.converged)


def test_events_of_any_shape() -> None:
    class Apart(Energy):
        """Each of two steps has a place of its own."""

        def forward(self, x: Any, z: Tensor) -> Tensor:
            return ((z - torch.arange(6, dtype=z.dtype).view(2, 3)) ** 4).sum((-2, -1))

    f = Clamped(Apart(), None, Repeated(Real((3,)), 2))
    place = minimize(f, LBFGS(steps=200, tolerance=1e-10), torch.zeros(1, 2, 3, dtype=F64)).belief.mean
    assert_close(place, torch.arange(6, dtype=F64).view(1, 2, 3), atol=2e-3, rtol=0)


def test_doors() -> None:
    box = Box(torch.zeros(1), torch.ones(1))
    with pytest.raises(UserError, match="lbfgs needs real vectors without bounds, got Box"):
        minimize(Clamped(QuadraticGoal([1.0]), None, box), LBFGS())
    with pytest.raises(UserError, match="lbfgs expects steps >= 0, memory >= 1"):
        LBFGS(memory=0)
