"""The Laplace evidence: exact where all is linear, with exact gradients where it is not, and no collapse."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Energy, Gaussian, Real, RunError, UserError
from agentic_energies.emission import BernoulliEmission, Emission, GaussianEmission
from agentic_energies.network import Network
from agentic_energies.vae import VAE
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.laplace_evidence import LaplaceEvidence
from agentic_optimizers.newton import Newton

F64 = torch.float64


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_on_a_linear_decoder_it_is_minus_log_evidence_gradients_included() -> None:
    vae = VAE(Network((2, 4), generator=draws(), bias=False, dtype=F64), GaussianEmission(0.3))
    x, weights = torch.randn(5, 4, generator=draws(1), dtype=F64), vae.decoder.weights[0]
    spread = weights @ weights.T + 0.3 * torch.eye(4, dtype=F64)
    expected = Gaussian(torch.zeros(5, 4, dtype=F64), spread.expand(5, 4, 4)).energy(x).mean()
    value, info = LaplaceEvidence(Newton())(vae, (x,), generator=None)
    assert_close(value, expected, atol=1e-10, rtol=0)
    assert_close(info["free_energy"], expected.detach(), atol=1e-10, rtol=0)
    assert_close(torch.autograd.grad(value, weights), torch.autograd.grad(expected, weights), atol=1e-10, rtol=0)


@pytest.mark.parametrize("emission", [GaussianEmission(0.1, learned=True), BernoulliEmission()])
def test_its_gradient_is_that_of_settling_anew(emission: Emission) -> None:
    """Against finite differences through whole settlings, of a decoder far from linear."""
    vae = VAE(Network((2, 5, 3), generator=draws(), dtype=F64), emission)
    x = torch.rand(6, 3, generator=draws(1), dtype=F64)
    loss = LaplaceEvidence(Newton(steps=100, tolerance=1e-20, damping=1.0))
    value, info = loss(vae, (x,), generator=None)
    assert float(info["converged"]) == 1
    for weights in vae.parameters():
        slope = torch.autograd.grad(value, weights, retain_graph=True)[0].flatten()
        flat, step, measured = weights.data.view(-1), 1e-5, []
        for index in range(min(3, len(flat))):
            ends = []
            for sign in (1, -2):
                flat[index] += sign * step
                with torch.no_grad():
                    ends.append(float(loss(vae, (x,), generator=None)[0]))
            flat[index] += step
            measured.append((ends[0] - ends[1]) / (2 * step))
        assert_close(slope[:3], torch.tensor(measured, dtype=F64), atol=1e-7, rtol=0)


def test_descent_settles_for_it_just_as_well() -> None:
    """Only the place matters, not the solver's belief."""
    vae = VAE(Network((2, 5, 3), generator=draws(), dtype=F64), GaussianEmission(0.5))
    x = torch.rand(4, 3, generator=draws(1), dtype=F64)
    values = [
        LaplaceEvidence(solver)(vae, (x,), generator=None)[0].detach()
        for solver in (Newton(steps=100), GradientDescent(rate=0.1, steps=500, tolerance=1e-10))
    ]
    assert_close(values[0], values[1], atol=1e-9, rtol=0)


class Hill(Energy):
    """-|z|^2: no minimum."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return -(z**2).sum(-1)


class TestDoors:
    def test_a_minimum_is_needed(self) -> None:
        loss = LaplaceEvidence(GradientDescent(steps=0), over=Real((2,)), allow_collapse=True)
        with pytest.raises(RunError, match=r"has no minimum where rows \[0, 1\] ended"):
            loss(Hill(), (torch.zeros(2, 1, dtype=F64),), generator=None)

    def test_a_normalizer_is_needed(self) -> None:
        with pytest.raises(UserError, match="Hill has no joint_log_normalizer"):
            LaplaceEvidence(Newton(), over=Real((2,)))(Hill(), (torch.zeros(2, 1, dtype=F64),), generator=None)

    def test_few_latents(self) -> None:
        vae, x = VAE(Network((65, 2), generator=draws(), dtype=F64)), torch.zeros(1, 2, dtype=F64)
        with pytest.raises(UserError, match="at most 64 latents"):
            LaplaceEvidence(GradientDescent(steps=0))(vae, (x,), generator=None)
