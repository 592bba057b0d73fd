"""Learning at settled beliefs: what is expected under which belief, what is reported, what is refused."""

from dataclasses import dataclass
from math import log
from typing import Any, final

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import (
    Clamped,
    Energy,
    Gaussian,
    Iterate,
    Minimizer,
    Objective,
    Particles,
    Point,
    Real,
    Solution,
    UserError,
    fit,
    minimize,
)
from agentic_energies.emission import GaussianEmission
from agentic_energies.network import Network
from agentic_energies.predictive_coding import PredictiveCoding
from agentic_energies.vae import VAE
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.langevin import Langevin
from agentic_optimizers.newton import Newton
from agentic_optimizers.settled import Settled

F64 = torch.float64


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Spring(Energy):
    """|x - w z|^2 / 2, which says nothing of its latents and knows no normalizer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0, dtype=F64))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * ((x - self.weight * z) ** 2).sum(-1)


@final
@dataclass(frozen=True)
class Believing(Minimizer):
    """Ends at once, in the belief it was given."""

    answer: Any
    steps: int = 0

    def init(self, f: Objective, z: Any) -> Iterate:
        value = f(z)
        return Iterate(z, value, torch.zeros_like(value), 1)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return iterate.solution(self.answer)


def linear(variance: float = 0.3) -> tuple[VAE, Tensor]:
    decoder = Network((2, 4), generator=draws(), dtype=F64)
    return VAE(decoder, GaussianEmission(variance, learned=True)), torch.randn(5, 4, generator=draws(1), dtype=F64)


def surprise(vae: VAE, x: Tensor) -> Tensor:
    """Minus log evidence of a linear decoder of one layer, differentiable in the weights."""
    (weights,), (bias,) = vae.decoder.weights, vae.decoder.biases
    spread = weights @ weights.T + vae.emission.variance * torch.eye(len(weights), dtype=F64)  # type: ignore[operator]
    return Gaussian(bias, spread.expand(len(x), -1, -1)).energy(x)


def slopes(module: nn.Module, value: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value, list(module.parameters())))


class TestBeliefs:
    def test_at_the_exact_posterior_value_and_gradient_are_those_of_minus_log_evidence(self) -> None:
        """All weights, the noise included; no gradient passes through the settling."""
        vae, x = linear()
        value, info = Settled(Newton())(vae, (x,), generator=None)
        expected = surprise(vae, x).mean()
        assert_close(value, expected, atol=1e-10, rtol=0)
        assert_close(info["free_energy"], expected.detach(), atol=1e-10, rtol=0)
        for got, wanted in zip(slopes(vae, value), slopes(vae, expected), strict=True):
            assert_close(got, wanted, atol=1e-10, rtol=0)

    def test_draws_agree_with_cubature(self) -> None:
        vae, x = linear()
        value, _ = Settled(Newton(), samples=20_000)(vae, (x,), generator=draws())
        assert float(value.detach()) == pytest.approx(float(surprise(vae, x).detach().mean()), abs=0.02)

    def test_particles_count_by_their_weights(self) -> None:
        vae, x = linear()
        z = torch.randn(3, 5, 2, generator=draws(2), dtype=F64)
        weights = torch.tensor([0.5, 0.3, 0.2], dtype=F64)
        belief = Particles(z, weights.log().unsqueeze(-1).expand(3, 5))
        value, info = Settled(Believing(belief))(vae, (x,), generator=None)
        assert_close(value, sum((w * vae(x, part)).mean() for w, part in zip(weights, z, strict=True)))
        assert set(info) == {"energy", "residual", "residual_max", "converged"}

    def test_draws_of_the_posterior_give_its_weight_gradient(self) -> None:
        vae, x = linear(1.0)
        sampler = Langevin(steps=4000, rate=0.05, burn=200)
        value, info = Settled(sampler)(vae, (x,), generator=draws(3))
        assert set(info) == {"energy"}
        for got, wanted in zip(slopes(vae, value), slopes(vae, surprise(vae, x).mean()), strict=True):
            assert_close(got, wanted, atol=0.1, rtol=0)

    def test_a_point_is_the_energy_there(self) -> None:
        vae, x = linear()
        value, info = Settled(GradientDescent(rate=0.05, steps=3), allow_collapse=True)(vae, (x,), generator=None)
        assert_close(value.detach(), info["energy"])
        assert "entropy" not in info


class TestRows:
    def test_several_tensors_are_a_given_tuple(self) -> None:
        energy = PredictiveCoding(Network((2, 3, 1), generator=draws(), dtype=F64), prior=None)
        rows = energy.example_inputs(4, generator=draws(1))[0]
        value, info = Settled(Newton())(energy, rows, generator=None)
        assert float(info["free_energy"]) == float(value.detach())
        assert float(info["converged"]) == 1

    def test_a_warm_start_is_the_last_tensor(self) -> None:
        vae, x = linear()
        start = torch.full((5, 2), 0.7, dtype=F64)
        still = Settled(GradientDescent(steps=0), warm_start=True, allow_collapse=True)
        assert_close(still(vae, (x, start), generator=None)[0], vae(x, start).mean())
        assert_close(Settled(GradientDescent(steps=0), allow_collapse=True)(vae, (x,), generator=None)[0],
                     vae(x, torch.zeros_like(start)).mean())  # fmt: skip
        with pytest.raises(UserError, match="something given, and a start after it"):
            still(vae, (x,), generator=None)

    def test_the_energys_own_start_is_taken(self) -> None:
        vae, x = VAE.of(4, 2, generator=draws(), dtype=F64), torch.rand(3, 4, generator=draws(), dtype=F64)
        value, _ = Settled(GradientDescent(steps=0), allow_collapse=True)(vae, (x,), generator=None)
        assert_close(value, vae(x, vae.start(x)).mean())

    def test_an_energy_without_latent_is_reported_over_what(self) -> None:
        x = torch.ones(2, 3, dtype=F64)
        loss = Settled(GradientDescent(rate=0.1), over=Real((3,)), allow_collapse=True)
        value, _ = loss(Spring(), (x,), generator=None)
        assert float(value.detach()) == pytest.approx(0, abs=1e-8)
        with pytest.raises(UserError, match="Spring does not say where its latents live"):
            Settled(GradientDescent())(Spring(), (x,), generator=None)


class TestReport:
    def test_how_far_from_settled(self) -> None:
        vae, x = linear()
        solver = GradientDescent(rate=0.01, steps=1)
        _, info = Settled(solver, allow_collapse=True)(vae, (x,), generator=None)
        norms = vae.gradient(x, -0.01 * vae.gradient(x, torch.zeros(5, 2, dtype=F64))).norm(dim=-1).detach()
        assert_close(info["residual"], norms.mean())
        assert_close(info["residual_max"], norms.max())
        assert float(info["converged"]) == 0

    def test_fit_reports_the_last_epochs_means(self) -> None:
        vae, x = linear()
        optimizer = torch.optim.Adam(vae.parameters(), lr=0.02)
        done = fit(vae, Settled(Newton()), (x,), optimizer=optimizer, epochs=20, batch=5, generator=draws())
        assert float(done.losses[-1]) < float(done.losses[0]) - 0.1
        assert done.info["free_energy"] == pytest.approx(float(done.losses[-1]))


class TestRefusals:
    def test_points(self) -> None:
        vae, x = linear()
        with pytest.raises(UserError, match="GradientDescent settles to a point, and the lowest energy of points may"):
            Settled(GradientDescent())(vae, (x,), generator=None)

    def test_energies_without_a_normalizer(self) -> None:
        with pytest.raises(UserError, match="Spring has no joint_log_normalizer"):
            Settled(Newton(), over=Real((3,)))(Spring(), (torch.ones(2, 3, dtype=F64),), generator=None)

    def test_they_would_collapse(self) -> None:
        """The allowed energy of points goes down with every louder decoder while the surprise goes up."""
        vae, x = linear()
        energies, surprises = [], []
        for scale in (1.0, 10.0, 10.0):
            with torch.no_grad():
                vae.decoder.weights[0].mul_(scale)
                vae.decoder.biases[0].zero_()
                place = minimize(Clamped(vae, x, vae.latent), Newton(), vae.start(x)).belief.mean
            value, _ = Settled(Believing(Point(place)), allow_collapse=True)(vae, (x,), generator=None)
            energies.append(float(value.detach()))
            surprises.append(float(surprise(vae, x).detach().mean()))
        assert energies[0] > energies[1] > energies[2]
        assert surprises[0] < surprises[1] - log(10) < surprises[2] - 2 * log(10)

    def test_a_mean_over_draws_needs_a_generator(self) -> None:
        vae, x = linear()
        with pytest.raises(UserError, match="a mean over draws: say samples, and a generator"):
            Settled(Newton(), samples=3)(vae, (x,), generator=None)
