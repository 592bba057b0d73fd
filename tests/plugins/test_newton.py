"""Newton's method: quadratics in one step, falling energies, and what has no minimum."""

from math import log, pi
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Energy, Gaussian, Real, UserError, minimize
from agentic_energies.goals import QuadraticGoal
from agentic_energies.table import Table
from agentic_optimizers.newton import Newton

F64 = torch.float64


class Valley(Energy):
    """log cosh of each coordinate, plus a little bowl: convex, and far from quadratic."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return (z.cosh().log() + 0.01 * z**2).sum(-1)


class Saddle(Energy):
    """a^2 - b^2: down along b without end."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return z[..., 0] ** 2 - z[..., 1] ** 2


@given(st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_a_quadratic_is_solved_in_one_step_and_its_free_energy_is_exact(seed: int) -> None:
    draws = torch.Generator().manual_seed(seed)
    root = torch.randn(2, 2, generator=draws, dtype=F64)
    weights = root @ root.T + 0.1 * torch.eye(2, dtype=F64)
    center, start = torch.randn(2, generator=draws, dtype=F64), torch.randn(3, 2, generator=draws, dtype=F64)
    goal = QuadraticGoal((weights + weights.T) / 2, center)
    solution = minimize(Clamped(goal, None, Real((2,))), Newton(), start)
    assert solution.steps == 1
    assert isinstance(solution.belief, Gaussian)
    assert_close(solution.belief.mean, center.expand(3, 2))
    assert_close(solution.belief.covariance, torch.linalg.inv(goal.weights).expand(3, 2, 2))
    exact = goal.log_normalizer(None)
    assert exact is not None
    assert_close(solution.value, -exact.expand(3))


@given(st.floats(-8, 8), st.floats(-8, 8))
@settings(derandomize=True, deadline=None, max_examples=15)
def test_steps_are_halved_so_that_the_energy_never_rises(a: float, b: float) -> None:
    start = torch.tensor([[a, b]], dtype=F64)
    solution = minimize(Clamped(Valley(), None, Real((2,))), Newton(steps=50), start)
    assert bool((solution.trace.diff(dim=0) <= 1e-8).all())
    assert_close(solution.belief.mean, torch.zeros(1, 2, dtype=F64), atol=1e-5, rtol=0)


def test_an_indefinite_hessian_is_an_error_with_its_eigenvalue() -> None:
    sentence = r"newton needs a positive definite Hessian, got a smallest eigenvalue of -2: start nearer to a minimum"
    with pytest.raises(UserError, match=sentence):
        minimize(Clamped(Saddle(), None, Real((2,))), Newton(), torch.ones(1, 2, dtype=F64))


def test_damping_passes_over_it_but_there_is_no_belief_at_a_saddle() -> None:
    with pytest.raises(UserError, match="newton needs a positive definite Hessian"):
        minimize(Clamped(Saddle(), None, Real((2,))), Newton(damping=5.0), torch.ones(1, 2, dtype=F64), steps=1)


def test_derivatives_that_are_not_finite() -> None:
    class Kink(Energy):
        """The root of the absolute value."""

        def forward(self, x: Any, z: Tensor) -> Tensor:
            return z.abs().sqrt().sum(-1)

    with pytest.raises(UserError, match="second derivatives are not finite: check the start and the energy"):
        minimize(Clamped(Kink(), None, Real((1,))), Newton(), torch.zeros(1, 1, dtype=F64))


def test_the_value_of_one_dimension() -> None:
    solution = minimize(Clamped(QuadraticGoal([4.0]), None, Real((1,))), Newton())
    assert solution.value.item() == pytest.approx(0.5 * log(4 / (2 * pi)))


def test_doors() -> None:
    table = Table.example()
    with pytest.raises(UserError, match="newton needs a real vector as free variable, got Simplex"):
        minimize(Clamped(table, None, table.domain), Newton())
    with pytest.raises(UserError, match="newton expects steps, damping and halvings >= 0"):
        Newton(damping=-1.0)
