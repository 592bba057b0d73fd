"""A VAE as an energy: exact where the decoder is linear, and one object for points and Gaussian beliefs."""

from itertools import product
from math import log, pi

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Gaussian, Particles, Point, UserError, minimize
from agentic.testing import checks_for
from agentic_energies.emission import BernoulliEmission, GaussianEmission
from agentic_energies.network import Network
from agentic_energies.vae import VAE
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.newton import Newton

F64 = torch.float64


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def probabilistic_pca(seed: int, variance: float = 0.3) -> VAE:
    """Two latents, four observed numbers, and a bias; linear, with a hidden layer all the same."""
    decoder = Network((2, 3, 4), "identity", generator=draws(seed), dtype=F64)
    with torch.no_grad():
        decoder.biases[1].copy_(torch.tensor([0.5, -1.0, 0.0, 2.0]))
    return VAE(decoder, GaussianEmission(variance))


def exact(vae: VAE, x: Tensor) -> tuple[Gaussian, Tensor]:
    """The posterior and minus log evidence of a linear decoder, from the marginal covariance."""
    origin = torch.zeros(len(x), *vae.latent.event, dtype=F64)
    weights, bias = vae.decoder.jacobian(origin)[0].detach(), vae.decoder(origin).detach()
    assert isinstance(vae.emission, GaussianEmission)
    marginal = weights @ weights.T + vae.emission.variance * torch.eye(len(weights), dtype=F64)
    gain = weights.T @ torch.linalg.inv(marginal)
    covariance = torch.eye(weights.shape[1], dtype=F64) - gain @ weights
    posterior = Gaussian((x - bias) @ gain.T, covariance.expand(len(x), -1, -1))
    return posterior, Gaussian(bias, marginal.expand(len(x), -1, -1)).energy(x)


NONLINEAR = VAE(Network((2, 4, 3), "tanh", generator=draws()), GaussianEmission(0.2, learned=True))
BINARY = VAE.of(3, 2, (4,), activation="silu", emission=BernoulliEmission(), generator=draws())


@checks_for(NONLINEAR)
def test_gaussian_emission_without_an_encoder_keeps_the_contract(check) -> None:  # type: ignore[no-untyped-def]
    check()


@checks_for(BINARY)
def test_bernoulli_emission_keeps_the_contract(check) -> None:  # type: ignore[no-untyped-def]
    check()


class TestLinearDecoder:
    @given(st.integers(0, 1000), st.floats(0.05, 3))
    @settings(derandomize=True, deadline=None, max_examples=10)
    def test_free_energy_at_the_posterior_is_minus_log_evidence(self, seed: int, variance: float) -> None:
        vae, x = probabilistic_pca(seed, variance), torch.randn(5, 4, generator=draws(seed + 1), dtype=F64)
        posterior, surprise = exact(vae, x)
        assert_close(vae.free_energy(x, posterior), surprise, atol=1e-10, rtol=0)

    @given(st.integers(0, 1000))
    @settings(derandomize=True, deadline=None, max_examples=5)
    def test_elsewhere_it_is_higher_by_the_divergence(self, seed: int) -> None:
        vae, x = probabilistic_pca(seed), torch.randn(5, 4, generator=draws(seed + 1), dtype=F64)
        posterior, surprise = exact(vae, x)
        other = Gaussian(posterior.mean + 0.3, 1.5 * posterior.covariance)
        assert_close(vae.free_energy(x, other) - surprise, other.divergence(posterior), atol=1e-10, rtol=0)

    def test_laplace_is_the_posterior(self) -> None:
        vae, x = probabilistic_pca(3), torch.randn(5, 4, generator=draws(1), dtype=F64)
        posterior, surprise = exact(vae, x)
        solution = minimize(Clamped(vae, x, vae.latent), Newton(), vae.start(x))
        assert isinstance(solution.belief, Gaussian)
        assert_close(solution.belief.mean, posterior.mean, atol=1e-10, rtol=0)
        assert_close(solution.belief.covariance, posterior.covariance, atol=1e-10, rtol=0)
        assert_close(solution.value, surprise, atol=1e-10, rtol=0)


class TestNormalization:
    def test_the_joint_is_normalized_and_the_posterior_is_not(self) -> None:
        vae = VAE(Network((1, 3, 1), generator=draws(), dtype=F64), GaussianEmission(0.1))
        axis = torch.linspace(-8, 8, 801, dtype=F64).unsqueeze(-1)
        density = torch.exp(-vae(axis, axis.unsqueeze(1))).detach()
        assert float(density.sum() * 0.02**2) == pytest.approx(1, abs=1e-6)
        assert float(vae.joint_log_normalizer()) == 0

    def test_probabilities_of_binary_outcomes_add_up_to_the_prior(self) -> None:
        vae, z = VAE.of(3, 2, emission=BernoulliEmission(), generator=draws(), dtype=F64), torch.ones(1, 2, dtype=F64)
        corners = torch.tensor(list(product([0.0, 1.0], repeat=3)), dtype=F64)
        total = torch.exp(-vae(corners, z)).detach().sum()
        assert float(total) == pytest.approx(float(torch.exp(torch.tensor(-1.0, dtype=F64))) / (2 * pi), rel=1e-9)

    def test_terms(self) -> None:
        vae, z = probabilistic_pca(0), torch.full((2, 2), 2.0, dtype=F64)
        terms = vae.terms(torch.zeros(2, 4, dtype=F64), z)
        assert_close(terms["prior"], torch.full((2,), 4 + log(2 * pi), dtype=F64))


class TestFreeEnergy:
    vae = VAE.of(2, 1, (5,), emission=GaussianEmission(0.5), generator=draws(), dtype=F64)
    x = torch.tensor([[0.5, -1.0], [2.0, 0.0]], dtype=F64)

    def test_of_a_gaussian_against_quadrature(self) -> None:
        belief = Gaussian(torch.tensor([[0.3], [-0.8]], dtype=F64), torch.tensor([[[0.4]], [[0.1]]], dtype=F64))
        axis = torch.linspace(-6, 6, 2401, dtype=F64).view(-1, 1, 1)
        weights = torch.exp(-belief.energy(axis)) * 0.005
        expected = (weights * self.vae(self.x, axis)).sum(0) - belief.entropy()
        count = 40_000
        got = self.vae.free_energy(self.x, belief, count, generator=draws(1))
        spread = (weights * (self.vae(self.x, axis) - (weights * self.vae(self.x, axis)).sum(0)) ** 2).sum(0).sqrt()
        assert bool(((got - expected).abs() < 4 * spread / count**0.5).all())
        assert float(got.detach().min()) > float(expected.detach().min()) - 0.1

    def test_it_is_differentiable_in_the_belief_and_in_the_weights(self) -> None:
        belief = self.vae.given(self.x)
        value = self.vae.free_energy(self.x, belief, 3, generator=draws(1)).sum()
        slopes = torch.autograd.grad(value, list(self.vae.parameters()))
        assert all(float(slope.abs().sum()) > 0 for slope in slopes)

    def test_of_a_point_it_is_the_energy(self) -> None:
        z = torch.ones(2, 1, dtype=F64)
        assert_close(self.vae.free_energy(self.x, Point(z)), self.vae(self.x, z))

    def test_of_particles_there_is_none(self) -> None:
        belief = Particles(torch.zeros(3, 2, 1, dtype=F64), torch.full((3, 2), -log(3), dtype=F64))
        with pytest.raises(UserError, match="that of a Point or a Gaussian, got Particles"):
            self.vae.free_energy(self.x, belief)


class TestEncoder:
    def test_it_gives_the_start_and_an_amortized_belief(self) -> None:
        vae, x = VAE.of(3, 2, (4,), generator=draws(), dtype=F64), torch.ones(2, 3, dtype=F64)
        assert vae.encoder is not None
        raw, belief = vae.encoder(x), vae.given(x)
        assert_close(vae.start(x), raw[:, :2])
        assert_close(belief.mean, raw[:, :2])
        assert_close(belief.covariance, torch.diag_embed(torch.exp(2 * raw[:, 2:])))

    def test_it_changes_no_energy(self) -> None:
        vae, x, z = VAE.of(3, 2, generator=draws()), torch.ones(2, 3), torch.ones(2, 2)
        before = vae(x, z)
        assert vae.encoder is not None
        vae.encoder.initialize(generator=draws(9))
        assert torch.equal(vae(x, z), before)

    def test_without_one_settling_starts_at_the_prior(self) -> None:
        vae, x = probabilistic_pca(0), torch.ones(2, 4, dtype=F64)
        assert_close(vae.start(x), torch.zeros(2, 2, dtype=F64))
        with pytest.raises(UserError, match="has no encoder"):
            vae.given(x)

    def test_it_must_fit(self) -> None:
        with pytest.raises(UserError, match=r"needs an encoder from 3 to 4 .*got one from 3 to 2"):
            VAE(Network((2, 3), generator=draws()), encoder=Network((3, 2), generator=draws()))


def test_settling_from_the_encoder_lowers_the_energy() -> None:
    vae, x = VAE.of(3, 2, (8,), emission=GaussianEmission(0.2), generator=draws(), dtype=F64), torch.rand(4, 3).double()
    solution = minimize(Clamped(vae, x, vae.latent), GradientDescent(rate=0.02, steps=50), vae.start(x).detach())
    assert bool((solution.trace[-1] < solution.trace[0]).all())
    assert_close(vae.decode(solution.belief.mean), vae.decoder(solution.belief.mean))


@pytest.mark.parametrize("variance", [0.0, -1.0])
def test_variances_are_positive(variance: float) -> None:
    with pytest.raises(UserError, match="a variance > 0, got"):
        GaussianEmission(variance)
