"""Training a VAE the ordinary way: all of it, or its encoder alone."""

from math import log, pi

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Gaussian, UserError, fit, minimize
from agentic_energies.emission import GaussianEmission
from agentic_energies.feedforward import Feedforward
from agentic_energies.network import Network
from agentic_energies.vae import VAE
from agentic_optimizers.elbo import Elbo
from agentic_optimizers.newton import Newton

F64 = torch.float64


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def orthogonal(variance: float) -> VAE:
    """A linear decoder with orthogonal columns, whose posterior has a diagonal covariance; a linear encoder."""
    vae = VAE.of(3, 2, (), emission=GaussianEmission(variance), generator=draws(), dtype=F64)
    with torch.no_grad():
        vae.decoder.weights[0].copy_(torch.tensor([[1.0, 0.5], [1.0, -0.5], [0.0, 1.0]]))
    return vae


def surprise(vae: VAE, x: Tensor) -> Tensor:
    spread = vae.decoder.weights[0] @ vae.decoder.weights[0].T + vae.emission.variance * torch.eye(3)  # type: ignore[operator]
    return Gaussian(vae.decoder.biases[0], spread.expand(len(x), 3, 3)).energy(x).detach().mean()


def test_it_is_the_mean_free_energy_of_the_amortized_belief() -> None:
    vae, x = VAE.of(3, 2, (5,), generator=draws(), dtype=F64), torch.rand(4, 3, generator=draws(1), dtype=F64)
    value, info = Elbo(samples=7)(vae, (x,), generator=draws(2))
    expected = vae.free_energy(x, vae.given(x), 7, generator=draws(2)).mean()
    assert_close(value, expected)
    assert_close(info["free_energy"], expected.detach())


def test_the_encoder_alone_learns_the_posterior() -> None:
    """Where the posterior is in the encoder's family the bound becomes tight; the decoder is not touched."""
    vae, x = orthogonal(0.4), torch.randn(64, 3, generator=draws(101), dtype=F64)
    assert vae.encoder is not None
    before = vae.decoder.weights[0].detach().clone()
    with torch.no_grad():
        assert float(vae.free_energy(x, vae.given(x)).mean()) > float(surprise(vae, x)) + 0.1
    optimizer = torch.optim.Adam(vae.encoder.parameters(), lr=0.05)
    done = fit(vae, Elbo(), (x,), optimizer=optimizer, epochs=300, batch=64, generator=draws())
    assert float(done.losses[-1]) == pytest.approx(float(surprise(vae, x)), abs=1e-3)
    assert torch.equal(vae.decoder.weights[0].detach(), before)
    settled = minimize(Clamped(vae, x, vae.latent), Newton(), torch.zeros(64, 2, dtype=F64)).belief
    assert_close(vae.start(x).detach(), settled.mean, atol=0.02, rtol=0)


def test_a_nonlinear_one_learns_a_circle() -> None:
    """From N(0, 1) noise around everything to far better than any Gaussian could fit."""
    angle = 2 * pi * torch.rand(256, 1, generator=draws(102), dtype=F64)
    noise = 0.05 * torch.randn(256, 2, generator=draws(103), dtype=F64)
    x = torch.cat([angle.cos(), angle.sin()], -1) + noise
    vae = VAE.of(2, 2, (32,), emission=GaussianEmission(0.1, learned=True), generator=draws(), dtype=F64)
    optimizer = torch.optim.Adam(vae.parameters(), lr=0.01)
    done = fit(vae, Elbo(), (x,), optimizer=optimizer, epochs=120, batch=64, generator=draws())
    gaussian = log(2 * pi) + 1 + 0.5 * float(torch.cov(x.T).det().log())
    assert float(done.losses[0]) > gaussian
    assert float(done.losses[-1]) < gaussian - 0.2


class TestDoors:
    def test_an_encoder_is_needed(self) -> None:
        with pytest.raises(UserError, match="this VAE has no encoder"):
            Elbo()(VAE(Network((1, 2), generator=draws())), (torch.zeros(1, 2),), generator=None)

    def test_other_energies(self) -> None:
        with pytest.raises(UserError, match=r"elbo needs an energy with an amortized belief.*got Feedforward"):
            Elbo()(Feedforward.example(), (torch.zeros(1, 3),), generator=None)

    def test_samples(self) -> None:
        with pytest.raises(UserError, match="at least 1 sample, got 0"):
            Elbo(samples=0)
