"""Mean-field Gaussian inference: the best Gaussian without correlations, by lowering its free energy."""

import math
from dataclasses import dataclass, field, replace
from typing import Any, final

import torch
from torch import Tensor

from agentic import Gaussian, Iterate, Minimizer, Objective, Quadrature, Real, Solution, UserError
from agentic_optimizers.amortized import Around
from agentic_optimizers.lbfgs import LBFGS
from agentic_optimizers.quadrature import Sobol


@final
@dataclass(frozen=True)
class GaussianFreeEnergy(Objective):
    """The free energy F(m, log s) = E_q[f] - H[q] of q = N(m, s^2) in nats, at (m, log s) side by side (*s, b, 2 d).

    The expectation is a weighted sum over m + s e for fixed `points` e (k, d): f's gradient is all it needs
    (reparameterization, Kingma and Welling 2014).
    """

    f: Objective
    points: Tensor
    weights: Tensor

    @property
    def domain(self) -> Real:
        return Real((2 * self.points.shape[-1],))

    def __call__(self, z: Tensor) -> Tensor:
        return self._averaged(self.f(self._places(z)[0])) - _entropy(z)

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        places, reach = self._places(z)
        values, slopes = self.f.value_and_gradient(places)
        parts = [self._averaged(slopes), self._averaged(slopes * reach) - 1]
        return self._averaged(values) - _entropy(z), torch.cat(parts, -1)

    def _places(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """m + s e and s e, each (k, *s, b, d)."""
        mean, log_scale = z.chunk(2, -1)
        points = self.points.to(z).view(len(self.points), *[1] * (z.dim() - 1), -1)
        reach = log_scale.exp() * points
        return mean + reach, reach

    def _averaged(self, values: Tensor) -> Tensor:
        mean: Tensor = torch.tensordot(self.weights.to(values), values, 1)
        return mean


@final
@dataclass(frozen=True)
class MeanField(Around):
    """Mean-field inference: the lowest F[q] = E_q[E] - H[q] of Gaussians with diagonal covariance.

    The `inner` solver moves mean and log s. F bounds -log Z from above and meets it where the Hessian is constant and
    diagonal. Expectations are sums over the `points` of a quadrature, so the bound is as exact as they are: for
    quadratics always, for polynomials up to the degree of `gauss_hermite`, roughly otherwise. Every row starts with
    standard deviations of `spread`. Residual and tolerance are the inner solver's; an evaluation is one batch of all
    points. Raises UserError for bounded or discrete variables.
    """

    inner: Minimizer = field(default_factory=LBFGS)
    points: Quadrature = field(default_factory=Sobol)
    spread: float = 1.0
    steps: int = 100

    def __post_init__(self) -> None:
        self.check("mean_field")
        if self.steps < 0 or not self.spread > 0:
            raise UserError(f"mean_field expects steps >= 0 and spread > 0, got {self.steps} and {self.spread}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Real) or len(f.domain.event) != 1:
            raise UserError(f"mean_field needs a real vector as free variable, got {f.domain}: use mirror or gradient")
        start = f.start(z)
        return self.inner.init(self.over(f), torch.cat([start, torch.full_like(start, math.log(self.spread))], -1))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        mean, log_scale = iterate.z.chunk(2, -1)
        belief = Gaussian(mean, torch.diag_embed(torch.exp(2 * log_scale)))
        return replace(super().solution(f, iterate), belief=belief, value=iterate.value, kind="free_energy")

    def over(self, f: Objective) -> GaussianFreeEnergy:
        return GaussianFreeEnergy(f, *self.points.points(f.domain.size))


def _entropy(z: Tensor) -> Tensor:
    log_scale = z.chunk(2, -1)[1]
    return log_scale.sum(-1) + 0.5 * log_scale.shape[-1] * math.log(2 * math.pi * math.e)
