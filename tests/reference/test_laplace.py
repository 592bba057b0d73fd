"""R21: the Laplace free energy is exact for quadratic energies and no bound otherwise; derived by quadrature."""

from math import e, log, pi

import numpy as np
import pytest
import torch
from torch import Tensor

from agentic import Clamped, Energy, Gaussian, Objective, Real, UserError, minimize
from agentic_optimizers.gradient import Adam, GradientDescent
from agentic_optimizers.newton import Newton

F64 = torch.float64


class Quartic(Energy):
    """z^2 / 2 + z^4 / 4: one well, steeper than a Gaussian's."""

    def forward(self, x: None, z: Tensor) -> Tensor:
        return (z**2 / 2 + z**4 / 4).sum(-1)


class DoubleWell(Energy):
    """(z^2 - 1)^2 / .5: two wells, of which a local method sees one."""

    def forward(self, x: None, z: Tensor) -> Tensor:
        return ((z**2 - 1) ** 2 / 0.5).sum(-1)


class GaussianFreeEnergy(Objective):
    """E_q[Quartic] - H[q] of q = N(m, s^2) at (m, log s), from the moments of a Gaussian."""

    @property
    def domain(self) -> Real:
        return Real((2,))

    def __call__(self, z: Tensor) -> Tensor:
        m, log_s = z.unbind(-1)
        v = torch.exp(2 * log_s)
        energy = (m**2 + v) / 2 + (m**4 + 6 * m**2 * v + 3 * v**2) / 4
        return energy - (0.5 * log(2 * pi * e) + log_s)


def over_the_line(energy: Energy) -> Clamped:
    return Clamped(energy, None, Real((1,)))


def minus_log_z(energy: Energy) -> float:
    """By quadrature over [-6, 6], beyond which there is nothing."""
    grid = torch.linspace(-6, 6, 120_001, dtype=F64)
    density = torch.exp(-energy(None, grid.unsqueeze(-1)))
    return -log(float(torch.trapezoid(density, grid)))


class TestQuartic:
    def test_laplace_lies_below_minus_log_z(self) -> None:
        solution = minimize(over_the_line(Quartic()), Newton(), torch.full((1, 1), 0.7, dtype=F64))
        assert float(solution.value) == pytest.approx(-0.918939, abs=5e-7)
        assert minus_log_z(Quartic()) == pytest.approx(-0.660235, abs=5e-7)
        assert float(solution.value) < minus_log_z(Quartic())

    @pytest.mark.parametrize("solver", [GradientDescent(steps=400, rate=0.2), Adam(steps=2000, rate=0.02), Newton()])
    def test_the_best_gaussian_lies_above_it(self, solver: GradientDescent | Adam | Newton) -> None:
        """The free energy of a family is one more objective: any solver for real vectors lowers it."""
        f = GaussianFreeEnergy()
        place = minimize(f, solver, torch.tensor([[0.4, -0.3]], dtype=F64)).belief.mean
        assert float(f(place)) == pytest.approx(-0.643316, abs=5e-7)
        assert float(f(place)) > minus_log_z(Quartic())


class TestDoubleWell:
    @pytest.mark.parametrize("start", [-1.3, 0.9, 2.0])
    def test_laplace_at_one_mode_lies_above(self, start: float) -> None:
        solution = minimize(over_the_line(DoubleWell()), Newton(), torch.full((1, 1), start, dtype=F64))
        assert float(solution.value) == pytest.approx(0.4674, abs=5e-5)
        assert isinstance(solution.belief, Gaussian)
        assert float(solution.belief.mean.abs()) == pytest.approx(1, abs=1e-6)
        assert minus_log_z(DoubleWell()) == pytest.approx(-0.3442, abs=5e-5)

    def test_between_the_wells_the_curvature_is_not_positive_and_newton_says_so(self) -> None:
        with pytest.raises(UserError, match="positive definite"):
            minimize(over_the_line(DoubleWell()), Newton(), torch.zeros(1, 1, dtype=F64))


def test_quadratic_energies_are_integrated_exactly() -> None:
    """log Z of a Gaussian: no difference is left, whatever the start."""

    class Bowl(Energy):
        def forward(self, x: None, z: Tensor) -> Tensor:
            return 3 * ((z - 0.4) ** 2).sum(-1)

    value = float(minimize(over_the_line(Bowl()), Newton(), torch.ones(1, 1, dtype=F64)).value)
    assert value == pytest.approx(-0.5 * np.log(pi / 3), abs=1e-12)
    assert value == pytest.approx(minus_log_z(Bowl()), abs=1e-9)
