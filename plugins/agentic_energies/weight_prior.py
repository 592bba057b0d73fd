"""A prior over weights: an energy over all of them, as over any other latent."""

from math import inf, log, pi
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import ClosedForm, Conditional, Gaussian, LeastSquares, UserError


@final
class WeightPrior(ClosedForm, Conditional, LeastSquares):
    """The energy -log N(z; 0, deviation^2 I) of flattened weights z (*s, b, size), in nats.

    Weight decay is its gradient: a rate of 1 / (n deviation^2) on a mean loss of n data. `x` is None, or a context
    (b, 0) that only carries the batch.
    """

    def __init__(self, size: int, deviation: float = 1.0) -> None:
        super().__init__()
        if size < 1 or not 0 < deviation < inf:
            raise UserError(f"weight_prior expects a size of at least 1 and deviation > 0, got {size} and {deviation}")
        self.size, self.deviation = size, float(deviation)

    @classmethod
    def of(cls, module: nn.Module, deviation: float = 1.0) -> Self:
        """The prior of a module's trainable weights."""
        return cls(sum(weight.numel() for weight in module.parameters() if weight.requires_grad), deviation)

    @classmethod
    def example(cls) -> Self:
        """Of three weights."""
        return cls(3, 0.5)

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A context, and weights."""
        z = torch.randn(batch, self.size, generator=generator, dtype=torch.float64)
        return z.new_empty(batch, 0), z

    def forward(self, x: Any, z: Tensor) -> Tensor:
        if z.shape[-1] != self.size:
            raise UserError(f"this weight_prior is of {self.size} weights, got shape {tuple(z.shape)}")
        constant = self.size * (0.5 * log(2 * pi) + log(self.deviation))
        return 0.5 * z.square().sum(-1) / self.deviation**2 + constant

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        return z / self.deviation**2

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        eye = torch.eye(self.size, dtype=z.dtype, device=z.device)
        return (eye / self.deviation**2).expand(*z.shape, self.size)

    def residuals(self, x: Any, z: Tensor) -> Tensor:
        return z / self.deviation

    def given(self, x: Any) -> Gaussian:
        context = torch.empty(1, 0) if x is None else x
        mean = context.new_zeros(*context.shape[:-1], self.size)
        eye = torch.eye(self.size, dtype=mean.dtype, device=mean.device)
        return Gaussian(mean, (self.deviation**2 * eye).expand(*mean.shape, self.size))
