"""Laplace over weights: exact on Bayesian linear regression, evidence included; Fisher information of the rest."""

from math import log, pi
from typing import Any, final

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import Categorical, Conditional, Gaussian, UserError, fit, minimize
from agentic_energies.goals import Effort
from agentic_energies.perceptron_energy import EnergyNetwork
from agentic_energies.weight_prior import WeightPrior
from agentic_optimizers.likelihood import Likelihood
from agentic_optimizers.newton import Newton
from agentic_optimizers.weight_laplace import Fisher, Hessian, WeightLaplace
from agentic_optimizers.weight_posterior import WeightPosterior, WithPrior, named_weights, weights_of

F64 = torch.float64
NOISE, DEVIATION = 0.5, 2.0


@final
class Line(Conditional):
    """-log N(z; x w, spread I) of x (*s, b, 2) and z (*s, b, 1), the weights w (2, 1) and log spread learned."""

    def __init__(self, learn_spread: bool = False) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(2, 1, dtype=F64))
        self.log_spread = nn.Parameter(torch.tensor(2 * log(NOISE), dtype=F64), requires_grad=learn_spread)

    def given(self, x: Tensor) -> Gaussian:
        mean = x @ self.weights
        return Gaussian(mean, self.log_spread.exp().expand(*mean.shape, 1))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        square = (z - x @ self.weights).square().sum(-1) / self.log_spread.exp()
        return 0.5 * (square + self.log_spread + log(2 * pi))


@final
class Logistic(Conditional):
    """-log softmax of x w, of x (*s, b, 2) and one-hot z (*s, b, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(2, 3, dtype=F64))

    def given(self, x: Tensor) -> Categorical:
        return Categorical(torch.softmax(x @ self.weights, -1))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return -(z * torch.log_softmax(x @ self.weights, -1)).sum(-1)


def regression(n: int = 40) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    x = torch.cat([torch.randn(n, 1, generator=source, dtype=F64), torch.ones(n, 1, dtype=F64)], -1)
    y = x @ torch.tensor([[1.5], [-0.5]], dtype=F64) + NOISE * torch.randn(n, 1, generator=source, dtype=F64)
    return x, y


def exact(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, float]:
    """The posterior's mean (p,) and covariance (p, p), and minus log evidence: -log N(y; 0, noise I + X X' prior)."""
    precision = x.T @ x / NOISE**2 + torch.eye(2, dtype=F64) / DEVIATION**2
    mean = torch.linalg.solve(precision, x.T @ y / NOISE**2)[:, 0]
    spread = NOISE**2 * torch.eye(len(x), dtype=F64) + DEVIATION**2 * x @ x.T
    evidence = Gaussian(torch.zeros(1, len(x), dtype=F64), spread.unsqueeze(0)).energy(y.T)
    return mean, torch.linalg.inv(precision), float(evidence)


class TestLinearRegression:
    x, y = regression()
    mean, covariance, evidence = exact(x, y)
    posterior = WeightPosterior(Line(), (x, y), WeightPrior(2, DEVIATION))

    @pytest.mark.parametrize("curvature", [Hessian(), Fisher()], ids=["hessian", "fisher"])
    def test_it_is_exact_evidence_included(self, curvature: Any) -> None:
        message = WeightLaplace(curvature)(self.posterior, self.mean.unsqueeze(0))
        assert_close(message.belief.mean[0], self.mean)
        assert_close(message.belief.covariance[0], self.covariance, rtol=1e-8, atol=0)
        assert message.free_energy == pytest.approx(self.evidence, rel=1e-10)
        assert message.slope < 1e-10

    def test_newton_settles_weights_as_any_latent(self) -> None:
        solution = minimize(self.posterior, Newton())
        assert isinstance(solution.belief, Gaussian)
        assert_close(solution.belief.mean[0], self.mean, rtol=1e-8, atol=0)
        assert_close(solution.belief.covariance[0], self.covariance, rtol=1e-8, atol=0)
        assert float(solution.value) == pytest.approx(self.evidence, rel=1e-10)

    def test_the_diagonal_alone(self) -> None:
        message = WeightLaplace(Fisher(diagonal=True))(self.posterior, self.mean.unsqueeze(0))
        precision = torch.linalg.inv(self.covariance)
        assert_close(message.belief.covariance[0], torch.diag(1 / precision.diagonal()))

    def test_a_fit_with_the_prior_beside_comes_to_its_mode(self) -> None:
        module, prior = Line(), WeightPrior(2, DEVIATION)
        loss = WithPrior(Likelihood(), prior, count=len(self.x))
        descent = torch.optim.SGD([module.weights], lr=0.2)
        fit(module, loss, (self.x, self.y), optimizer=descent, epochs=100, batch=40)
        assert_close(weights_of(module).detach(), self.mean, rtol=1e-6, atol=1e-6)
        message = WeightLaplace()(WeightPosterior(module, (self.x, self.y), prior))
        assert message.free_energy == pytest.approx(self.evidence, abs=1e-6)


class TestCurvature:
    def test_of_a_softmax_fisher_information_is_the_hessian(self) -> None:
        """Logits linear in the weights: the second derivatives do not depend on the labels."""
        source = torch.Generator().manual_seed(1)
        x = torch.randn(20, 2, generator=source, dtype=F64)
        z = torch.eye(3, dtype=F64)[torch.randint(3, (20,), generator=source)]
        posterior = WeightPosterior(Logistic(), (x, z), WeightPrior(6))
        at = torch.randn(6, generator=source, dtype=F64)
        assert_close(Fisher()(posterior, at), Hessian()(posterior, at))

    def test_of_a_spread_it_counts_half_a_nat_per_datum_and_squared_log_unit(self) -> None:
        """Fisher information about log spread is 1/2 a datum and number, and none is shared with the mean."""
        x, y = regression()
        posterior = WeightPosterior(Line(learn_spread=True), (x, y), WeightPrior(3, 1e6))
        at = torch.tensor([1.0, -1.0, -1.0], dtype=F64)
        information = Fisher()(posterior, at)
        assert_close(information[2], torch.tensor([0.0, 0.0, 20.0], dtype=F64))
        assert_close(information[:2, :2], x.T @ x * torch.e, rtol=1e-9, atol=1e-9)

    def test_a_minibatch_counts_for_all_data(self) -> None:
        x, y = regression()
        part = WeightPosterior(Line(), (x[:10], y[:10]), WeightPrior(2, DEVIATION), count=40)
        at = torch.zeros(2, dtype=F64)
        expected = 4 * x[:10].T @ x[:10] / NOISE**2 + torch.eye(2, dtype=F64) / DEVIATION**2
        assert_close(Fisher()(part, at), expected)
        assert_close(Hessian()(part, at), expected)


class TestWeightPosterior:
    x, y = regression()

    def test_it_is_minus_log_likelihood_minus_log_prior(self) -> None:
        module, prior = Line(), WeightPrior(2, DEVIATION)
        posterior = WeightPosterior(module, (self.x, self.y), prior)
        z = torch.tensor([[1.0, 2.0], [0.5, -0.5]], dtype=F64)
        expected = []
        for row in z:
            with torch.no_grad():
                module.weights.copy_(row.unsqueeze(-1))
            expected.append(module(self.x, self.y).sum().detach() + prior(None, row.unsqueeze(0))[0])
        assert_close(posterior(z), torch.stack(expected))
        assert_close(posterior(torch.stack([z, z + 1]))[0], torch.stack(expected))
        assert_close(module.weights[:, 0].detach(), z[1])  # left as it was

    def test_minibatches_are_unbiased(self) -> None:
        posterior = WeightPosterior(Line(), (self.x, self.y), WeightPrior(2, DEVIATION))
        source, z = torch.Generator().manual_seed(0), torch.tensor([[1.0, 1.0]], dtype=F64)
        values = torch.stack([posterior.minibatch(8, generator=source)(z) for _ in range(300)])
        assert float(values.mean()) == pytest.approx(float(posterior(z)), abs=4 * float(values.std()) / 300**0.5)
        assert posterior.minibatch(40, generator=source) is posterior

    def test_the_vector_is_cut_as_it_was_joined(self) -> None:
        module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
        pieces = named_weights(module, weights_of(module))
        for name, weight in module.named_parameters():
            assert torch.equal(pieces[name], weight)

    def test_doors(self) -> None:
        with pytest.raises(UserError, match=r"equally many in each tensor, got \[40, 3\]"):
            WeightPosterior(Line(), (self.x, self.y[:3]), WeightPrior(2))
        with pytest.raises(UserError, match="Line has 2 trainable weights, got 3"):
            named_weights(Line(), torch.zeros(3))
        with pytest.raises(
            UserError, match="likelihood needs a Conditional, got EnergyNetwork, which is not normalized"
        ):
            WeightPosterior(EnergyNetwork(1), (torch.zeros(2, 1),), WeightPrior(4353))(torch.zeros(1, 4353))


class TestDoors:
    x, y = regression()

    def test_no_minimum(self) -> None:
        """Far from the data, the energy bends down toward a larger spread."""
        posterior = WeightPosterior(Line(learn_spread=True), (self.x, self.y), WeightPrior(3, 1e6))
        far = torch.tensor([[40.0, 40.0, -3.0]], dtype=F64)
        with pytest.raises(UserError, match="weight_laplace needs positive curvature, got a smallest eigenvalue of -"):
            WeightLaplace(Hessian())(posterior, far)
        assert WeightLaplace(Fisher())(posterior, far).slope > 1

    def test_fisher_is_of_likelihoods(self) -> None:
        prior = WeightPrior(2)
        posterior = WeightPosterior(Line(), (self.x, self.y), prior, WithPrior(Likelihood(), prior, 40))
        with pytest.raises(UserError, match="fisher is of likelihoods, and the loss is WithPrior: use Hessian"):
            WeightLaplace()(posterior)

    def test_a_prior_without_normalizer(self) -> None:
        prior = Effort(torch.zeros(2, 2))
        with pytest.raises(UserError, match="needs a normalized prior, a Conditional, got Effort"):
            WeightLaplace()(WeightPosterior(Line(), (self.x, self.y), prior))
