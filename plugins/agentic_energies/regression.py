"""Exact Bayesian linear regression: the belief about the weights of y = W' x + noise, in closed form.

Matrix-normal weights given diagonal noise, inverse-gamma noise variances; one update per sample, no iteration.
Source: Minka 2000, "Bayesian linear regression".
"""

from math import log, pi
from typing import Self, final

import torch
from torch import Tensor, nn

from agentic import UserError
from agentic_energies.arrays import check_finite


@final
class Regression(nn.Module):
    """A belief about weights: W_j | s_j ~ N(mean_j, s_j precision^-1) for every output j.

    The noise variance s_j is known, or s_j ~ InverseGamma(shape, rate_j). `mean` (p, d), `precision` (p, p), `rate`
    (d,) in squared output units. With `shape` infinite the noise variance is known and equals `rate`.
    """

    def __init__(self, mean: Tensor, precision: Tensor, rate: Tensor, shape: float = torch.inf) -> None:
        super().__init__()
        for name, given in {"mean": mean, "precision": precision, "rate": rate}.items():
            check_finite(name, given)
        if not torch.allclose(precision, precision.T):
            raise UserError(f"a regression expects a symmetric precision, got {precision.tolist()}")
        if bool(torch.linalg.cholesky_ex(precision)[1]) or not bool((rate > 0).all()) or not shape > 0:
            raise UserError("a regression expects a positive definite precision, rates > 0 and a shape > 0")
        self.mean: Tensor = nn.Buffer(mean.double().clone())
        self.precision: Tensor = nn.Buffer(precision.double().clone())
        self.rate: Tensor = nn.Buffer(rate.double().clone())
        self.shape: Tensor = nn.Buffer(torch.tensor(float(shape), dtype=torch.float64))

    @property
    def known_noise(self) -> bool:
        """Whether the noise variances are given rather than learned."""
        return bool(torch.isinf(self.shape))

    @property
    def noise(self) -> Tensor:
        """Noise variance of every output (d,): given, or the posterior mode of what was learned."""
        return self.rate if self.known_noise else self.rate / (self.shape + 1)

    def observe(self, x: Tensor, y: Tensor) -> Tensor:
        """Condition on one sample, x (p,) and y (d,); returns the prediction error (d,) made before it."""
        error = y - x @ self.mean
        step = torch.linalg.solve(self.precision, x)
        spread = 1 + x @ step
        self.precision += torch.outer(x, x)
        self.mean += torch.outer(step / spread, error)
        if not self.known_noise:
            self.shape += 0.5
            self.rate += 0.5 * error**2 / spread
        return error

    def gain(self, x: Tensor) -> Tensor:
        """The joint information (...) in nats about weights and unknown noise of the regressors x (..., T, p).

        I(y_1..y_T; W, s) = entropy of the predictive (Gaussian or multivariate t) minus the expected noise entropy.
        """
        looks = x.shape[-2]
        spread = torch.eye(looks, dtype=x.dtype) + x @ torch.linalg.solve(self.precision, x.transpose(-2, -1))
        outputs = len(self.rate)
        gain = 0.5 * torch.logdet(spread)
        if self.known_noise:
            return outputs * gain
        freedom = 2 * self.shape
        student = torch.lgamma(freedom / 2) - torch.lgamma((freedom + looks) / 2) + 0.5 * looks * (freedom * pi).log()
        student = student + (freedom + looks) / 2 * (torch.digamma((freedom + looks) / 2) - torch.digamma(freedom / 2))
        scale = 0.5 * looks * (-self.shape.log() + torch.digamma(self.shape))
        return outputs * (gain + student + scale - 0.5 * looks * (log(2 * pi) + 1))

    def divergence(self, other: Self) -> Tensor:
        """The divergence KL(self || other) in nats, for two beliefs of known equal noise."""
        ratio = torch.linalg.solve(self.precision, other.precision)
        gap = self.mean - other.mean
        square = ((gap.T @ other.precision) * gap.T).sum(-1) / self.noise
        trace = torch.diagonal(ratio).sum() - len(ratio) - torch.logdet(ratio)
        return 0.5 * (square + trace).sum()
