"""Mean-field Gaussians: exact for quadratics, an upper bound, and the quadratures under them."""

from math import log, pi
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Energy, Gaussian, Quadrature, Real, UserError, minimize
from agentic_energies.goals import QuadraticGoal
from agentic_energies.table import Table
from agentic_optimizers.gradient import Adam
from agentic_optimizers.langevin import Langevin
from agentic_optimizers.mean_field import GaussianFreeEnergy, MeanField
from agentic_optimizers.quadrature import GaussHermite, Sobol

F64 = torch.float64
RULES = [GaussHermite(3), Sobol(32)]


class Skewed(Energy):
    """exp(z) - z of each number, and a coupling."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return (torch.exp(z) - z + 0.1 * z**2).sum(-1) + 0.3 * z[..., 0] * z[..., 1]


@pytest.mark.parametrize("rule", RULES)
def test_a_diagonal_quadratic_is_met(rule: Quadrature) -> None:
    goal = QuadraticGoal([4.0, 0.25], [1.0, -2.0])
    solution = minimize(Clamped(goal, None, Real((2,))), MeanField(points=rule), torch.zeros(3, 2, dtype=F64))
    exact = goal.log_normalizer(None)
    assert exact is not None
    assert solution.kind == "free_energy"
    assert solution.converged is not None
    assert solution.converged.all()
    assert_close(solution.value, -exact.expand(3), atol=1e-10, rtol=0)
    assert isinstance(solution.belief, Gaussian)
    assert_close(solution.belief.mean, goal.center.expand(3, 2), atol=1e-7, rtol=0)
    assert_close(solution.belief.covariance, torch.diag(1 / goal.weights.diagonal()).expand(3, 2, 2), atol=1e-6, rtol=0)


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=6)
def test_correlations_cost_exactly_what_they_must(rule: Quadrature, seed: int) -> None:
    """The best mean field of a Gaussian has the precision's diagonal; F - (-log Z) = (sum log H_ii - log det H) / 2."""
    draws = torch.Generator().manual_seed(seed)
    root = torch.randn(3, 3, generator=draws, dtype=F64)
    weights = root @ root.T + 0.3 * torch.eye(3, dtype=F64)
    goal = QuadraticGoal((weights + weights.T) / 2, torch.randn(3, generator=draws, dtype=F64))
    f = Clamped(goal, None, Real((3,)))
    solution = minimize(f, MeanField(points=rule), torch.zeros(1, 3, dtype=F64))
    exact = goal.log_normalizer(None)
    assert exact is not None
    gap = 0.5 * (goal.weights.diagonal().log().sum() - torch.logdet(goal.weights))
    assert gap > 0
    assert_close(solution.value, (gap - exact).expand(1), atol=1e-9, rtol=0)
    assert isinstance(solution.belief, Gaussian)
    assert_close(solution.belief.covariance[0].diagonal(), 1 / goal.weights.diagonal(), atol=1e-6, rtol=0)


def test_it_bounds_minus_log_z() -> None:
    f = Clamped(Skewed(), None, Real((2,)))
    axis = torch.linspace(-12, 5, 1701, dtype=F64)
    density = torch.exp(-f(torch.cartesian_prod(axis, axis))).view(1701, 1701)
    minus_log_z = -float(torch.trapezoid(torch.trapezoid(density, axis), axis).log())
    fine = float(minimize(f, MeanField(points=GaussHermite(20)), torch.zeros(1, 2, dtype=F64)).value)
    assert minus_log_z < fine < minus_log_z + 0.2
    rough = float(minimize(f, MeanField(), torch.zeros(1, 2, dtype=F64)).value)
    assert rough == pytest.approx(fine, abs=0.02)


@given(st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=5)
def test_its_gradient_is_that_of_its_free_energy(seed: int) -> None:
    f = GaussianFreeEnergy(Clamped(Skewed(), None, Real((2,))), *Sobol(8).points(2))
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(seed), dtype=F64).requires_grad_()
    expected = torch.autograd.grad(f(z).sum(), z)[0]
    value, slope = f.value_and_gradient(z.detach())
    assert_close(slope, expected)
    assert_close(value, f(z).detach())


def test_any_solver_of_vectors_may_be_inside() -> None:
    f, start = Clamped(Skewed(), None, Real((2,))), torch.zeros(1, 2, dtype=F64)
    best = minimize(f, MeanField(points=GaussHermite(9)), start)
    slow = minimize(f, MeanField(Adam(rate=0.05), points=GaussHermite(9)), start, steps=600)
    assert_close(slow.value, best.value, atol=1e-6, rtol=0)
    assert best.steps < 30 < slow.steps


class TestQuadrature:
    @pytest.mark.parametrize(("order", "size"), [(2, 3), (3, 1), (5, 2)])
    def test_hermite_is_exact_up_to_its_degree(self, order: int, size: int) -> None:
        points, weights = GaussHermite(order).points(size)
        assert points.shape == (order**size, size)
        moments = {0: 1.0, 2: 1.0, 4: 3.0, 6: 15.0, 8: 105.0}
        for degree in range(2 * order):
            assert_close(
                weights @ points**degree, torch.full((size,), moments.get(degree, 0.0), dtype=F64), atol=1e-9, rtol=0
            )

    @pytest.mark.parametrize(("count", "size"), [(2, 1), (8, 3), (64, 16), (128, 60)])
    def test_sobol_has_the_first_three_moments(self, count: int, size: int) -> None:
        points, weights = Sobol(count).points(size)
        assert_close(weights @ points, torch.zeros(size, dtype=F64), atol=1e-12, rtol=0)
        assert_close((points.T * weights) @ points, torch.eye(size, dtype=F64), atol=1e-9, rtol=0)
        assert_close(weights @ points**3, torch.zeros(size, dtype=F64), atol=1e-9, rtol=0)

    def test_sobol_nears_the_fourth_with_more_points(self) -> None:
        few, many = (abs(float((w @ x**4)[0]) - 3) for x, w in (Sobol(n).points(1) for n in (32, 1024)))
        assert few > many
        assert many < 0.05

    def test_doors(self) -> None:
        with pytest.raises(UserError, match="gauss_hermite would take 1048576 points in 10 dimensions"):
            GaussHermite(4).points(10)
        with pytest.raises(UserError, match="sobol needs at least 40 points in 20 dimensions, got 32"):
            Sobol(32).points(20)
        with pytest.raises(UserError, match="sobol expects an even number of points, got 5"):
            Sobol(5)
        with pytest.raises(UserError, match="gauss_hermite expects an order of at least 2"):
            GaussHermite(1)


def test_one_dimension_by_hand() -> None:
    value = minimize(Clamped(QuadraticGoal([4.0]), None, Real((1,))), MeanField(), torch.ones(1, 1, dtype=F64)).value
    assert float(value) == pytest.approx(0.5 * log(4 / (2 * pi)), abs=1e-10)


def test_doors() -> None:
    table = Table.example()
    with pytest.raises(UserError, match="mean_field needs a real vector as free variable, got Simplex"):
        minimize(Clamped(table, None, table.domain), MeanField())
    with pytest.raises(UserError, match="mean_field takes a solver that converges as inner, got Langevin"):
        MeanField(Langevin())
    with pytest.raises(UserError, match="mean_field expects steps >= 0 and spread > 0"):
        MeanField(spread=0.0)
