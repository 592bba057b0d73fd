"""Stochastic gradient Langevin dynamics: its law on Bayesian linear regression, minibatch noise included."""

from math import log, pi, sqrt
from typing import final

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import Box, Clamped, Conditional, Gaussian, Particles, Real, UserError, minimize
from agentic_energies.goals import QuadraticGoal
from agentic_energies.weight_prior import WeightPrior
from agentic_optimizers.sgld import StochasticLangevin
from agentic_optimizers.weight_posterior import WeightPosterior

F64 = torch.float64


@final
class Slope(Conditional):
    """-log N(z; weight x, 1) of numbers x and z (*s, b, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=F64))

    def given(self, x: Tensor) -> Gaussian:
        return Gaussian(self.weight * x, torch.ones(*x.shape, 1, dtype=F64))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * ((z - self.weight * x).square().sum(-1) + log(2 * pi))


def regression(n: int = 60) -> tuple[WeightPosterior, float, float]:
    """The posterior of one slope, its mean and its precision."""
    x, noise = torch.randn(2, n, 1, generator=torch.Generator().manual_seed(0), dtype=F64)
    y = 0.7 * x + noise
    precision = float(x.square().sum()) + 1
    return WeightPosterior(Slope(), (x, y), WeightPrior(1)), float((x * y).sum()) / precision, precision


def particles(solver: StochasticLangevin, f: WeightPosterior, start: float, chains: int, seed: int) -> Particles:
    at = torch.full((chains, 1), start, dtype=F64)
    belief = minimize(f, solver, at, generator=torch.Generator().manual_seed(seed)).belief
    assert isinstance(belief, Particles)
    return belief


class TestLaw:
    posterior, mean, precision = regression()

    def test_it_has_the_posterior_mean_and_the_variance_that_step_and_minibatches_give(self) -> None:
        """Its variance V solves V = (1 - e p)^2 V + 2 e + e^2 (C + c V): C + c V is that of minibatch gradients."""
        rate, batch, n = 0.2 / self.precision, 15, 60
        x, y = self.posterior.data
        slope, level = x.square()[:, 0], (x * y)[:, 0]
        scale = n**2 / batch * (1 - batch / n)
        at_mean, per_square = scale * (slope * self.mean - level).var(), scale * slope.var()
        variance = float((2 * rate + rate**2 * at_mean) / (1 - (1 - rate * self.precision) ** 2 - rate**2 * per_square))
        assert variance * self.precision > 1.3  # far from the posterior's: the bias is seen
        belief = particles(StochasticLangevin(1100, rate, 100, batch), self.posterior, self.mean, 1, seed=1)
        independent = 1000 * rate * self.precision / 2
        assert float(belief.mean) == pytest.approx(self.mean, abs=4 * sqrt(variance / independent))
        assert float(belief.z.var()) == pytest.approx(variance, rel=4 * sqrt(2 / independent))

    def test_with_a_decaying_rate_it_comes_to_the_exact_posterior(self) -> None:
        solver = StochasticLangevin(1000, 0.4 / self.precision, 50, batch=30, decay=1 / 3)
        belief = particles(solver, self.posterior, self.mean, 1, seed=2)
        independent = sum(0.4 * (1 + t) ** (-1 / 3) for t in range(50, 1000)) / 2
        spread = float(belief.expected((belief.z - belief.mean).square()))
        assert float(belief.mean) == pytest.approx(self.mean, abs=4 * sqrt(1 / self.precision / independent))
        assert spread * self.precision == pytest.approx(1, abs=4 * sqrt(2 / independent))

    def test_particles_are_weighted_by_the_rate_they_were_drawn_with(self) -> None:
        belief = particles(StochasticLangevin(10, 0.1, 4, decay=0.5, thin=3), self.posterior, 0.0, 2, seed=0)
        assert belief.z.shape == (2, 2, 1)
        ratio = belief.log_weights[0] - belief.log_weights[1]
        assert_close(ratio, torch.full((2,), 0.5 * log(10 / 7), dtype=F64))
        assert_close(belief.log_weights.exp().sum(0), torch.ones(2, dtype=F64))


def test_the_value_is_the_mean_energy() -> None:
    f = Clamped(QuadraticGoal([1.0]), None, Real((1,)))
    solution = minimize(f, StochasticLangevin(20, 0.1, 10), generator=torch.Generator().manual_seed(0))
    assert isinstance(solution.belief, Particles)
    assert_close(solution.value, f(solution.belief.z).mean(0))
    assert solution.kind == "mean_energy"
    assert solution.diagnostics["ess"].shape == (1,)


def test_doors() -> None:
    box = Box(torch.zeros(1), torch.ones(1))
    with pytest.raises(UserError, match="sgld walks in real vectors, got Box"):
        minimize(Clamped(QuadraticGoal([1.0]), None, box), StochasticLangevin())
    with pytest.raises(UserError, match="sgld expects 0 <= burn < steps, rate > 0 and a decay between 0 and 1"):
        StochasticLangevin(steps=5, burn=5)
    with pytest.raises(UserError, match="sgld expects batch and thin of at least 1"):
        StochasticLangevin(batch=0)
