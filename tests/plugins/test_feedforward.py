"""The baseline: a cost on inputs and outputs, one mode for every input."""

import pytest
import torch
from torch.testing import assert_close

from agentic import Clamped, UserError, fit, minimize
from agentic_energies.feedforward import Feedforward
from agentic_energies.network import Network
from agentic_energies.vae import VAE
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.likelihood import Likelihood
from agentic_optimizers.newton import Newton

F64 = torch.float64


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_settling_ends_at_the_forward_pass() -> None:
    energy = Feedforward.of((3, 5, 2), variance=0.5, generator=draws(), dtype=F64)
    x = torch.randn(4, 3, generator=draws(1), dtype=F64)
    output = energy.network(x).detach()
    assert_close(energy.start(x).detach(), output)
    start = torch.zeros(4, 2, dtype=F64)
    for solver in (Newton(), GradientDescent(rate=0.4)):
        assert_close(minimize(Clamped(energy, x, energy.latent), solver, start).belief.mean, output)
    belief = energy.given(x)
    assert_close(belief.covariance, 0.5 * torch.eye(2, dtype=F64).expand(4, 2, 2))
    assert_close(0.5 * (energy.residuals(x, start) ** 2).sum(-1), energy(x, start) - energy(x, output))


def test_fitted_to_two_answers_it_gives_their_mean() -> None:
    """x = 1 has the answers -1 and 1: least squares says 0 and a learned variance of 1."""
    energy = Feedforward(Network((1, 1), generator=draws(), dtype=F64), 0.2, learned_variance=True)
    x, y = torch.ones(2, 1, dtype=F64), torch.tensor([[-1.0], [1.0]], dtype=F64)
    optimizer = torch.optim.LBFGS(energy.parameters(), line_search_fn="strong_wolfe", max_iter=100)

    def closure() -> float:
        optimizer.zero_grad()
        value, _ = Likelihood()(energy, (x, y), generator=None)
        torch.autograd.backward(value)
        return float(value.detach())

    optimizer.step(closure)
    belief = energy.given(x[:1])
    assert_close(belief.mean.detach(), torch.zeros(1, 1, dtype=F64), atol=1e-4, rtol=0)
    assert_close(belief.covariance.detach(), torch.ones(1, 1, 1, dtype=F64), atol=1e-3, rtol=0)


def test_maximum_likelihood_is_least_squares() -> None:
    source = draws(100)
    x = torch.randn(64, 2, generator=source, dtype=F64)
    y = x @ torch.tensor([[1.0], [-2.0]], dtype=F64) + 0.5 + 0.1 * torch.randn(64, 1, generator=source, dtype=F64)
    energy = Feedforward.of((2, 1), generator=draws(), dtype=F64)
    optimizer = torch.optim.SGD(energy.parameters(), lr=0.3)
    done = fit(energy, Likelihood(), (x, y), optimizer=optimizer, epochs=200, batch=64, generator=draws())
    design = torch.cat([x, torch.ones(64, 1, dtype=F64)], -1)
    solution = torch.linalg.lstsq(design, y).solution
    assert_close(torch.cat([energy.network.weights[0].T, energy.network.biases[0][None]]).detach(), solution)
    gap = y - design @ solution
    assert float(done.losses[-1]) == pytest.approx(float(energy.given(x).energy(y).detach().mean()), abs=1e-9)
    assert_close(energy(x, y).detach().mean(), 0.5 * (gap**2).mean() + 0.5 * torch.log(torch.tensor(2 * torch.pi)))


class TestDoors:
    def test_likelihood_needs_one(self) -> None:
        vae, x = VAE.of(2, 1, generator=draws()), torch.zeros(1, 2)
        with pytest.raises(UserError, match="needs a Conditional, got VAE, which is not normalized"):
            Likelihood()(vae, (x, x), generator=None)  # type: ignore[arg-type]

    def test_rows(self) -> None:
        with pytest.raises(UserError, match=r"expects rows \(x, y\), got 1 tensor"):
            Likelihood()(Feedforward.example(), (torch.zeros(1, 3),), generator=None)
