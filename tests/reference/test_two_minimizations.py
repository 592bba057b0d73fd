"""R13: inference and learning as two minimizations of one energy, linear and Gaussian, so that all of it is exact.

E(x, z) = |x - W z|^2 / (2 x .5) + |z|^2 / 2 with W = [[1, 0], [1, 1], [0, 2]] and x = [1, 2, 3]; derived in closed form
and by differentiating the marginal likelihood.
"""

from math import log, pi, sqrt

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import Clamped, Energy, Evidence, Gaussian, Minimizer, Real, Solution, minimize
from agentic_energies.emission import GaussianEmission
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.network import Network
from agentic_energies.predictive_coding import PredictiveCoding
from agentic_energies.vae import VAE
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.laplace_evidence import LaplaceEvidence
from agentic_optimizers.newton import Newton
from agentic_optimizers.settled import Settled

F64 = torch.float64
HALF = 5e-7  # half a unit of the sixth printed digit
NOISE = 0.5
WEIGHTS = torch.tensor([[1, 0], [1, 1], [0, 2]], dtype=F64)
X = torch.tensor([[1, 2, 3]], dtype=F64)


class Decoder(Energy):
    """Reconstruction error plus a Gaussian prior, neither normalized; the weights are a parameter."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights.clone())

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        error = x - z @ self.weights.T
        return (error**2).sum(-1) / (2 * NOISE) + 0.5 * (z**2).sum(-1)


def settle(solver: Minimizer, steps: int, weights: Tensor = WEIGHTS) -> Solution:
    """Lower the energy of `X` from zero."""
    with torch.no_grad():
        objective = Clamped(Decoder(weights), X, Real((2,)))
        return minimize(objective, solver, torch.zeros(1, 2, dtype=F64), steps=steps)


def weight_gradient(z: Tensor) -> Tensor:
    """dE/dW at a latent that is held fixed: nothing is differentiated through inference."""
    decoder = Decoder(WEIGHTS)
    return torch.autograd.grad(decoder(X, z).sum(), decoder.weights)[0]


def likelihood(weights: Tensor) -> LinearGaussian:
    """The same energy normalized: z ~ N(0, 1), x ~ N(W z, .5)."""
    zero = torch.zeros(2, 1, dtype=F64)
    return LinearGaussian(torch.eye(2, dtype=F64), zero, Q=[1.0, 1.0], R=[NOISE] * 3, C=weights)


def minus_log_evidence(weights: Tensor) -> Tensor:
    """By the marginal N(x; 0, W W' + .5 I), without any inference."""
    covariance = weights @ weights.T + NOISE * torch.eye(3, dtype=F64)
    return Gaussian(torch.zeros(1, 3, dtype=F64), covariance).energy(X)


class TestInference:
    @pytest.mark.parametrize(
        ("steps", "z", "energy"), [(1, [0.3, 0.8], 3.625), (2, [0.445, 1.13], 1.773712), (10, None, 1.334308)]
    )
    def test_gradient_descent_step_by_step(self, steps: int, z: list[float] | None, energy: float) -> None:
        solution = settle(GradientDescent(rate=0.05), steps)
        assert float(solution.value) == pytest.approx(energy, abs=HALF)
        assert solution.kind == "energy"
        if z is not None:
            assert_close(solution.belief.mean, torch.tensor([z], dtype=F64), atol=1e-12, rtol=0)

    def test_fifty_steps_settle(self) -> None:
        solution = settle(GradientDescent(rate=0.05, check_every=1), 50)
        error = (solution.belief.mean - torch.tensor([[2 / 3, 4 / 3]], dtype=F64)).norm()
        assert 0 < float(error) < 1e-5
        assert bool((solution.trace.diff(dim=0) < 0).all())

    def test_one_newton_step_is_exact(self) -> None:
        solution = settle(Newton(), 1)
        assert_close(solution.belief.mean, torch.tensor([[2 / 3, 4 / 3]], dtype=F64), atol=1e-12, rtol=0)
        assert float(solution.trace[-1]) == pytest.approx(4 / 3, abs=1e-12)
        covariance = X @ torch.linalg.solve(WEIGHTS @ WEIGHTS.T + NOISE * torch.eye(3, dtype=F64), X.T) / 2
        assert float(covariance) == pytest.approx(4 / 3, abs=1e-12)

    def test_curvature_and_posterior_covariance(self) -> None:
        belief = settle(Newton(), 1).belief
        assert isinstance(belief, Gaussian)
        eigenvalues = torch.linalg.eigvalsh(torch.linalg.inv(belief.covariance[0]))
        assert_close(eigenvalues, torch.tensor([4.394449, 11.605551], dtype=F64), atol=HALF, rtol=0)
        expected = torch.tensor([[0.215686, -0.039216], [-0.039216, 0.098039]], dtype=F64)
        assert_close(belief.covariance[0], expected, atol=HALF, rtol=0)

    def test_laplace_free_energy_is_minus_log_evidence(self) -> None:
        """Of the normalized model at once; of the bare energy once its likelihood's normalizer is added."""
        model = likelihood(WEIGHTS)
        start = model.begin(1)
        assert isinstance(start, Gaussian)
        normalized = minimize(Evidence(model, X, start), Newton(), start.mean, steps=1)
        assert float(normalized.value) == pytest.approx(5.016341, abs=HALF)
        assert normalized.kind == "free_energy"
        bare = float(settle(Newton(), 1).value) + 1.5 * log(2 * pi * NOISE) + log(2 * pi)
        assert bare == pytest.approx(5.016341, abs=HALF)
        assert float(minus_log_evidence(WEIGHTS)) == pytest.approx(5.016341, abs=HALF)


class TestLearning:
    envelope = torch.tensor([[-4, -8], [0, 0], [-4, -8]], dtype=F64) / 9

    def test_weight_gradient_at_the_settled_latent(self) -> None:
        """The envelope theorem: the gradient of E* needs no derivative of z*; wrong inference fails here as well."""
        settled = settle(Newton(), 1).belief.mean
        assert_close(weight_gradient(settled), self.envelope, atol=1e-12, rtol=0)

        weights = WEIGHTS.clone().requires_grad_()
        covariance = weights @ weights.T + NOISE * torch.eye(3, dtype=F64)
        slope = torch.autograd.grad((X @ torch.linalg.solve(covariance, X.T) / 2).sum(), weights)[0]
        assert_close(slope, self.envelope, atol=1e-12, rtol=0)

    @pytest.mark.parametrize(("steps", "wrong"), [(1, 1.44), (2, 0.96)])
    def test_an_unsettled_latent_gives_a_wrong_gradient_and_says_so(self, steps: int, wrong: float) -> None:
        solution = settle(GradientDescent(rate=0.05), steps)
        error = (weight_gradient(solution.belief.mean) - self.envelope).abs().max()
        assert float(error) == pytest.approx(wrong, abs=5e-3)
        assert float(solution.residual) > 1
        assert solution.converged is not None
        assert not bool(solution.converged.any())

    def test_evidence_gradient_is_the_mean_of_the_weight_gradient_under_the_posterior(self) -> None:
        """Not the gradient at the mean: the two differ by the posterior's spread. Sigma points make the mean exact."""
        belief = settle(Newton(), 1).belief
        assert isinstance(belief, Gaussian)
        spread = sqrt(2) * torch.linalg.cholesky(belief.covariance[0]).T
        points = torch.cat([belief.mean + spread, belief.mean - spread])
        mean = torch.stack([weight_gradient(point.unsqueeze(0)) for point in points]).mean(0)
        expected = torch.tensor([[-0.013072, -0.967320], [0.352941, 0.117647], [-0.601307, -0.496732]], dtype=F64)
        assert_close(mean, expected, atol=HALF, rtol=0)

        weights = WEIGHTS.clone().requires_grad_()
        slope = torch.autograd.grad(minus_log_evidence(weights).sum(), weights)[0]
        assert_close(slope, mean, atol=1e-12, rtol=0)

    @pytest.mark.parametrize(
        ("scale", "energy", "surprise", "digit"),
        [(1, 1.3333, 5.016, 3), (3, 0.2590, 5.99, 2), (10, 0.1246, 8.24, 2), (100, 0.1112, 12.83, 2)],
    )
    def test_louder_weights_lower_the_settled_energy_and_raise_the_surprise(
        self, scale: float, energy: float, surprise: float, digit: int
    ) -> None:
        """Learning that lowers E* alone would scale the weights without end; minus log evidence forbids it."""
        weights = scale * WEIGHTS
        assert float(settle(Newton(), 1, weights).trace[-1]) == pytest.approx(energy, abs=5e-5)
        model = likelihood(weights)
        start = model.begin(1)
        assert isinstance(start, Gaussian)
        value = float(minimize(Evidence(model, X, start), Newton(), start.mean, steps=1).value)
        assert value == pytest.approx(surprise, abs=0.5 * 10**-digit)
        assert value == pytest.approx(float(minus_log_evidence(weights)), abs=1e-9)


def network(weights: Tensor = WEIGHTS) -> Network:
    """W z, as the network that decoders and chains are made of."""
    made = Network((2, 3), "identity", generator=torch.Generator(), bias=False, dtype=F64)
    with torch.no_grad():
        made.weights[0].copy_(weights)
    return made


def learned(name: str, weights: Tensor = WEIGHTS) -> VAE | PredictiveCoding:
    """The same energy as a VAE without an encoder, and as predictive coding with one layer of weights."""
    if name == "vae":
        return VAE(network(weights), GaussianEmission(NOISE))
    return PredictiveCoding(network(weights), NOISE, prior=1.0)


def descent(steps: int) -> Settled:
    """Learning at the point that so many steps of descent end in."""
    return Settled(GradientDescent(rate=0.05, steps=steps), allow_collapse=True)


@pytest.mark.parametrize("energy", ["vae", "predictive_coding"])
class TestLearnedEnergies:
    """The same case through energies that are learned and the losses that learn them."""

    envelope = TestLearning.envelope
    evidence = torch.tensor([[-0.013072, -0.967320], [0.352941, 0.117647], [-0.601307, -0.496732]], dtype=F64)

    def gradient(self, module: Energy, value: Tensor) -> Tensor:
        return torch.autograd.grad(value, list(module.parameters()))[0]

    def test_the_energy_settles_at_four_thirds(self, energy: str) -> None:
        module = learned(energy)
        with torch.no_grad():
            solution = minimize(Clamped(module, X, module.latent), Newton())
        assert_close(solution.belief.mean, torch.tensor([[2 / 3, 4 / 3]], dtype=F64), atol=1e-12, rtol=0)
        constants = 0.0 if energy == "predictive_coding" else 1.5 * log(2 * pi * NOISE) + log(2 * pi)
        assert float(solution.trace[-1]) - constants == pytest.approx(4 / 3, abs=1e-12)

    def test_at_the_settled_point_the_gradient_is_the_envelopes(self, energy: str) -> None:
        module = learned(energy)
        value, info = descent(200)(module, (X,), generator=None)
        assert_close(self.gradient(module, value), self.envelope, atol=1e-7, rtol=0)
        assert float(info["converged"]) == 1

    @pytest.mark.parametrize(("steps", "wrong"), [(1, 1.44), (2, 0.96)])
    def test_before_it_is_settled_the_residual_says_so(self, energy: str, steps: int, wrong: float) -> None:
        module = learned(energy)
        value, info = descent(steps)(module, (X,), generator=None)
        error = (self.gradient(module, value) - self.envelope).abs().max()
        assert float(error) == pytest.approx(wrong, abs=5e-3)
        assert float(info["residual_max"]) > 1
        assert float(info["converged"]) == 0

    @pytest.mark.parametrize("loss", [Settled(Newton()), LaplaceEvidence(Newton())])
    def test_under_the_posterior_it_is_that_of_minus_log_evidence(
        self, energy: str, loss: Settled | LaplaceEvidence
    ) -> None:
        module = learned(energy)
        value, info = loss(module, (X,), generator=None)
        assert float(info["free_energy"]) == pytest.approx(5.016341, abs=HALF)
        assert_close(self.gradient(module, value), self.evidence, atol=HALF, rtol=0)

    @pytest.mark.parametrize(
        ("scale", "surprise", "digit"), [(1, 5.016, 3), (3, 5.99, 2), (10, 8.24, 2), (100, 12.83, 2)]
    )
    def test_what_is_learned_rises_where_the_energy_falls(
        self, energy: str, scale: float, surprise: float, digit: int
    ) -> None:
        module = learned(energy, scale * WEIGHTS)
        for loss in (Settled(Newton()), LaplaceEvidence(Newton())):
            value = float(loss(module, (X,), generator=None)[0].detach())
            assert value == pytest.approx(surprise, abs=0.5 * 10**-digit)


@pytest.mark.parametrize(("scale", "energy"), [(1, 1.3333), (3, 0.2590), (10, 0.1246), (100, 0.1112)])
def test_the_analytic_equilibrium_of_louder_weights(scale: float, energy: float) -> None:
    module = PredictiveCoding(network(scale * WEIGHTS), NOISE, prior=1.0)
    assert float(module.equilibrium_energy(X).detach()) == pytest.approx(energy, abs=5e-5)
