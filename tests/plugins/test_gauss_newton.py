"""Gauss-Newton: sums of squares in few steps, damping row by row, and what it does not take."""

from math import log, pi
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Energy, Evidence, Gaussian, LeastSquares, Real, UserError, minimize
from agentic_energies.emission import BernoulliEmission, GaussianEmission
from agentic_energies.goals import QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.network import Network
from agentic_energies.table import Table
from agentic_energies.vae import VAE
from agentic_optimizers.gauss_newton import GaussNewton
from agentic_optimizers.lbfgs import LBFGS
from agentic_optimizers.newton import Newton

F64 = torch.float64


class Squares(Energy, LeastSquares):
    """|r(x, z)|^2 / 2 + 3 of whatever r a test gives."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return 0.5 * self.residuals(x, z).square().sum(-1) + 3

    def residuals(self, x: Any, z: Tensor) -> Tensor:
        r: Tensor = self.function(z)
        return r


def valley(z: Tensor) -> Tensor:
    """Rosenbrock's."""
    return torch.stack([1 - z[..., 0], 10 * (z[..., 1] - z[..., 0] ** 2)], -1)


def bend(z: Tensor) -> Tensor:
    """arctan z: undamped steps from beyond 1.39 run away."""
    return torch.atan(z)


VALLEY = Clamped(Squares(valley), None, Real((2,)))
STARTS = torch.tensor([[-1.2, 1.0], [2.0, 2.0], [0.0, -3.0], [1.0, 1.0]], dtype=F64)


@pytest.mark.parametrize("solver", [GaussNewton(), GaussNewton(damping=1e-2)])
def test_a_curved_valley(solver: GaussNewton) -> None:
    solution = minimize(VALLEY, solver, STARTS)
    assert solution.converged is not None
    assert solution.converged.all()
    assert_close(solution.belief.mean, torch.ones(4, 2, dtype=F64), atol=1e-5, rtol=0)
    assert bool((solution.trace.diff(dim=0) <= 1e-12).all())
    assert solution.evaluations == solution.steps + 1
    assert solution.diagnostics["steps"].tolist()[3] == 0


def test_undamped_steps_are_gauss_newtons() -> None:
    """Two of them end at the minimum of Rosenbrock's valley wherever the first one lowers the energy."""
    solution = minimize(VALLEY, GaussNewton(), STARTS[1:2])
    assert solution.steps == 2
    assert_close(solution.belief.mean, torch.ones(1, 2, dtype=F64), atol=1e-12, rtol=0)


def test_rows_are_damped_one_by_one() -> None:
    f = Clamped(Squares(bend), None, Real((1,)))
    solution = minimize(f, GaussNewton(), torch.tensor([[0.5], [20.0]], dtype=F64))
    assert_close(solution.belief.mean, torch.zeros(2, 1, dtype=F64), atol=1e-6, rtol=0)
    damping = solution.diagnostics["damping"]
    assert damping[0] == 0
    assert damping[1] > 0


@given(st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_rows_together_are_rows_alone(seed: int) -> None:
    start = 2 * torch.randn(4, 2, generator=torch.Generator().manual_seed(seed), dtype=F64)
    whole = minimize(VALLEY, GaussNewton(), start, steps=6).trace[-1]
    alone = [minimize(VALLEY, GaussNewton(), start[i : i + 1], steps=6).trace[-1] for i in range(4)]
    assert_close(whole, torch.cat(alone), atol=1e-9, rtol=1e-9)


def test_its_belief_is_newtons_where_nothing_is_left_over() -> None:
    start = torch.tensor([[0.99, 0.981]], dtype=F64)
    mine, newton = (minimize(VALLEY, solver, start) for solver in (GaussNewton(), Newton()))
    assert isinstance(mine.belief, Gaussian)
    assert isinstance(newton.belief, Gaussian)
    assert_close(mine.belief.covariance, newton.belief.covariance, rtol=1e-5, atol=1e-8)
    assert_close(mine.value, newton.value, atol=1e-6, rtol=0)
    assert float(mine.value) == pytest.approx(3 + 0.5 * log(100) - log(2 * pi), abs=1e-6)


def test_sums_and_multiples_of_squares_are_squares() -> None:
    parts = 4 * (Squares(valley) + Squares(bend))
    f = Clamped(parts, None, Real((2,)))
    z = STARTS[:2]
    r = f.residuals(z)
    assert r is not None
    assert_close(0.5 * r.square().sum(-1), f(z) - 24)
    assert Clamped(Squares(bend) + QuadraticGoal([1.0]), None, Real((1,))).residuals(z[:, :1]) is None
    assert Clamped(-1 * Squares(bend), None, Real((1,))).residuals(z[:, :1]) is None


def test_evidence_is_a_sum_of_squares_where_its_factors_are() -> None:
    model = LinearGaussian.example()
    f = Evidence(model, torch.tensor([[0.3]], dtype=F64), model.begin(1))
    z = torch.tensor([[0.7, -0.2]], dtype=F64)
    r = f.residuals(z)
    assert r is not None
    constant = f(torch.zeros(1, 2, dtype=F64)) - 0.5 * f.residuals(torch.zeros(1, 2, dtype=F64)).square().sum(-1)  # type: ignore[union-attr]
    assert_close(0.5 * r.square().sum(-1) + constant, f(z))


def test_a_decoder_settles_at_a_stationary_place() -> None:
    draws = torch.Generator().manual_seed(100)
    energy = VAE(Network((2, 8, 5), generator=draws, dtype=F64), GaussianEmission(0.1))
    x, start = torch.randn(6, 5, generator=draws, dtype=F64), torch.zeros(6, 2, dtype=F64)
    f = Clamped(energy, x, Real((2,)))
    solution = minimize(f, GaussNewton(steps=300, tolerance=1e-14), start)
    assert solution.converged is not None
    assert solution.converged.all()
    assert_close(f.gradient(solution.belief.mean), torch.zeros(6, 2, dtype=F64), atol=1e-5, rtol=0)
    polished = minimize(f, LBFGS(), solution.belief.mean)
    assert_close(polished.belief.mean, solution.belief.mean, atol=1e-5, rtol=0)
    assert Clamped(VAE(energy.decoder, BernoulliEmission()), x, Real((2,))).residuals(start) is None


def test_a_direction_that_nothing_sees_has_no_belief() -> None:
    blind = Clamped(Squares(lambda z: z[..., :1] - 1), None, Real((2,)))
    with pytest.raises(UserError, match="gauss_newton needs a positive definite Hessian, got a smallest eigenvalue"):
        minimize(blind, GaussNewton(), torch.zeros(1, 2, dtype=F64))


def test_doors() -> None:
    table = Table.example()
    with pytest.raises(UserError, match="gauss_newton needs a real vector as free variable, got Simplex"):
        minimize(Clamped(table, None, table.domain), GaussNewton())
    bowl = Clamped(QuadraticGoal([1.0]), None, Real((1,)))
    with pytest.raises(UserError, match=r"offers them as residuals.*, got Clamped of QuadraticGoal: use newton"):
        minimize(bowl, GaussNewton())
    with pytest.raises(UserError, match="gauss_newton expects steps >= 0 and damping >= 0"):
        GaussNewton(damping=-1.0)
