"""One energy, four beliefs: point, Laplace, mean-field Gaussian; and where their free energies stand to minus log Z.

R21 by quadrature, R13 in closed form, and random linear-Gaussian models, of which minus log evidence is known.
"""

from math import log, pi

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Energy, Evidence, Gaussian, LeastSquares, Minimizer, Real, Solution, UserError, minimize
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.gauss_newton import GaussNewton
from agentic_optimizers.gradient import Adam, GradientDescent
from agentic_optimizers.lbfgs import LBFGS
from agentic_optimizers.mean_field import MeanField
from agentic_optimizers.newton import Newton
from agentic_optimizers.quadrature import GaussHermite

F64 = torch.float64
HALF = 5e-7  # half a unit of the sixth printed digit


class Quartic(Energy, LeastSquares):
    """z^2 / 2 + z^4 / 4: one well, steeper than a Gaussian's; the squares are of z and of z^2 / sqrt 2."""

    def forward(self, x: None, z: Tensor) -> Tensor:
        return (z**2 / 2 + z**4 / 4).sum(-1)

    def residuals(self, x: None, z: Tensor) -> Tensor:
        return torch.cat([z, z**2 / 2**0.5], -1)


class DoubleWell(Energy, LeastSquares):
    """(z^2 - 1)^2 / .5: two wells, of which a local method sees one."""

    def forward(self, x: None, z: Tensor) -> Tensor:
        return ((z**2 - 1) ** 2 / 0.5).sum(-1)

    def residuals(self, x: None, z: Tensor) -> Tensor:
        return 2 * (z**2 - 1)


class Decoder(Energy, LeastSquares):
    """R13: |x - W z|^2 / (2 x .5) + |z|^2 / 2."""

    weights = ((1.0, 0.0), (1.0, 1.0), (0.0, 2.0))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * self.residuals(x, z).square().sum(-1)

    def residuals(self, x: Tensor, z: Tensor) -> Tensor:
        error = x - z @ torch.tensor(self.weights, dtype=z.dtype).T
        return torch.cat([error / 0.5**0.5, z], -1)


def settle(energy: Energy, solver: Minimizer, start: float) -> Solution:
    """On the line."""
    return minimize(Clamped(energy, None, Real((1,))), solver, torch.full((1, 1), start, dtype=F64))


class TestQuartic:
    minus_log_z = -0.660235

    @pytest.mark.parametrize("solver", [Newton(), GaussNewton()])
    def test_laplace_lies_below(self, solver: Minimizer) -> None:
        assert float(settle(Quartic(), solver, 0.7).value) == pytest.approx(-0.918939, abs=HALF)

    @pytest.mark.parametrize("order", [3, 4, 9])
    def test_the_best_gaussian_lies_above(self, order: int) -> None:
        """Three points a side integrate a quartic exactly."""
        solution = settle(Quartic(), MeanField(points=GaussHermite(order)), 0.7)
        assert float(solution.value) == pytest.approx(-0.643316, abs=HALF)
        assert float(solution.value) > self.minus_log_z
        assert solution.kind == "free_energy"

    def test_quasi_random_points_come_near_it_with_their_number(self) -> None:
        gap = float(settle(Quartic(), MeanField(), 0.7).value) + 0.643316
        assert abs(gap) < 0.02

    def test_the_point_has_the_energy_alone(self) -> None:
        solution = settle(Quartic(), LBFGS(), 0.7)
        assert solution.kind == "energy"
        assert float(solution.value) == pytest.approx(0, abs=1e-12)


class TestDoubleWell:
    @pytest.mark.parametrize("solver", [Newton(), GaussNewton()])
    @pytest.mark.parametrize("start", [-1.3, 0.9, 2.0])
    def test_laplace_at_one_mode(self, solver: Minimizer, start: float) -> None:
        solution = settle(DoubleWell(), solver, start)
        assert float(solution.value) == pytest.approx(0.4674, abs=5e-5)
        assert float(solution.belief.mean) == pytest.approx(1 if start > 0 else -1, abs=1e-5)

    @pytest.mark.parametrize("start", [-1.3, 0.9])
    def test_a_gaussian_in_one_well_bounds_minus_log_z(self, start: float) -> None:
        """From above, by ln 2 at the least, half the mass being in the other well; -ln Z = -.3442."""
        solution = settle(DoubleWell(), MeanField(points=GaussHermite(9), spread=0.3), start)
        assert solution.belief.mean.sign().item() == (1 if start > 0 else -1)
        assert -0.3442 < float(solution.value) < 0.6

    def test_between_the_wells_there_is_no_gaussian(self) -> None:
        with pytest.raises(
            UserError, match="newton needs a positive definite Hessian, got a smallest eigenvalue of -8"
        ):
            settle(DoubleWell(), Newton(), 0.0)
        with pytest.raises(UserError, match="gauss_newton needs a positive definite Hessian"):
            settle(DoubleWell(), GaussNewton(), 0.0)


@given(st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=15)
@pytest.mark.parametrize("solver", [Newton(), GaussNewton()])
def test_laplace_is_minus_log_evidence_on_linear_gaussian_models(solver: Minimizer, seed: int) -> None:
    """Of any size, from any start; the belief is the Kalman update, covariance included."""
    draws = torch.Generator().manual_seed(seed)
    n, m = (int(torch.randint(1, 5, (1,), generator=draws)) for _ in range(2))

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draws, dtype=F64)

    def spread(size: int) -> Tensor:
        root = normal(size, size)
        return root @ root.T + 0.1 * torch.eye(size, dtype=F64)

    model = LinearGaussian(
        normal(n, n),
        normal(n, 1),
        Q=spread(n),
        R=spread(m),
        C=normal(m, n),
        d=normal(m),
        mean=normal(n),
        covariance=spread(n),
    )
    prior, obs = model.begin(3), normal(3, m)
    assert isinstance(prior, Gaussian)
    solution = minimize(Evidence(model, obs, prior), solver, 3 * normal(3, n))
    emitted = model.emit(prior)
    assert isinstance(emitted, Gaussian)
    assert_close(solution.value, emitted.energy(obs), atol=1e-10, rtol=1e-10)
    system = model.system()
    gain = prior.covariance @ system.C.T @ torch.linalg.inv(emitted.covariance)
    assert isinstance(solution.belief, Gaussian)
    mean = prior.mean + (gain @ (obs - emitted.mean).unsqueeze(-1)).squeeze(-1)
    assert_close(solution.belief.mean, mean, atol=1e-8, rtol=1e-8)
    assert_close(
        solution.belief.covariance, prior.covariance - gain @ system.C @ prior.covariance, atol=1e-8, rtol=1e-8
    )
    assert solution.steps <= 2


class TestLinearDecoder:
    """R13 by every solver of vectors."""

    x, best = torch.tensor([[1.0, 2.0, 3.0]], dtype=F64), torch.tensor([[2 / 3, 4 / 3]], dtype=F64)
    hessian = torch.tensor([[5.0, 2.0], [2.0, 11.0]], dtype=F64)

    def settled(self, solver: Minimizer) -> Solution:
        return minimize(Clamped(Decoder(), self.x, Real((2,))), solver, torch.zeros(1, 2, dtype=F64))

    @pytest.mark.parametrize(
        "solver",
        [
            GradientDescent(rate=0.05, steps=200),
            GradientDescent(rate=0.05, momentum=0.5, steps=200),
            GradientDescent(rate=0.05, momentum=0.5, nesterov=True, steps=200),
            Adam(rate=0.05, steps=3000),
            LBFGS(),
            Newton(),
            GaussNewton(),
            GaussNewton(damping=0.1),
            MeanField(),
        ],
    )
    def test_the_latent(self, solver: Minimizer) -> None:
        solution = self.settled(solver)
        assert solution.converged is not None
        assert solution.converged.all()
        assert_close(solution.belief.mean, self.best, atol=1e-6, rtol=0)
        place = Clamped(Decoder(), self.x, Real((2,)))(solution.belief.mean)
        assert float(place) == pytest.approx(4 / 3, abs=1e-10)

    @pytest.mark.parametrize("solver", [Newton(), GaussNewton()])
    def test_laplace(self, solver: Minimizer) -> None:
        """The curvature is exact; with the normalizers of likelihood and prior the value is minus log evidence."""
        solution = self.settled(solver)
        assert solution.steps == 1
        assert isinstance(solution.belief, Gaussian)
        assert_close(torch.linalg.inv(solution.belief.covariance[0]), self.hessian, atol=1e-10, rtol=0)
        eigenvalues = torch.linalg.eigvalsh(self.hessian)
        assert_close(eigenvalues, torch.tensor([4.394449, 11.605551], dtype=F64), atol=HALF, rtol=0)
        assert float(solution.value) + 1.5 * log(2 * pi * 0.5) + log(2 * pi) == pytest.approx(5.016341, abs=HALF)

    def test_mean_field_pays_for_the_correlation(self) -> None:
        """F = E* + sum ln H_ii / 2 - ln 2 pi, above minus log Z by (ln 55 - ln 51) / 2."""
        gap = self.settled(MeanField()).value - self.settled(Newton()).value
        assert float(gap) == pytest.approx(0.5 * log(55 / 51), abs=1e-10)
