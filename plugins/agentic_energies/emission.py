"""Emissions: the observation given a network's output f, a normalized `-log p(x | f)`, with derivatives by f."""

from abc import ABC, abstractmethod
from math import inf, log, pi
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from agentic import UserError


class Emission(nn.Module, ABC):
    """The energy -log p(x | f) of outputs f (*s, b, o) in nats; the components of x are independent given f."""

    @abstractmethod
    def forward(self, x: Tensor, output: Tensor) -> Tensor:
        """The energy -log p(x | f), (*s, b)."""

    if TYPE_CHECKING:  # nn.Module's own says Any

        def __call__(self, x: Tensor, output: Tensor) -> Tensor: ...

    @abstractmethod
    def slope(self, x: Tensor, output: Tensor) -> Tensor:
        """The derivative of the energy by f, (*s, b, o)."""

    def value_and_slope(self, x: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        """The energy (*s, b) and its derivative by f (*s, b, o), from one evaluation."""
        return self(x, output), self.slope(x, output)

    @abstractmethod
    def bend(self, x: Tensor, output: Tensor) -> Tensor:
        """The second derivatives by f, the diagonal (*s, b, o) of a diagonal matrix."""

    @abstractmethod
    def mean(self, output: Tensor) -> Tensor:
        """The expected x, (*s, b, o)."""


@final
class GaussianEmission(Emission):
    """A Gaussian emission x ~ N(f, variance): one variance for all components.

    The variance is given, or with `learned` a weight that starts there. Raises UserError for a variance that is not >
    0.
    """

    def __init__(self, variance: float = 1.0, *, learned: bool = False) -> None:
        super().__init__()
        if not 0 < variance < inf:
            raise UserError(f"a Gaussian emission expects a variance > 0, got {variance}")
        self._given = float(variance)
        scalar = torch.tensor(log(variance), dtype=torch.float64)  # a scalar: results keep the outputs' dtype
        self.log_variance = nn.Parameter(scalar) if learned else None

    @property
    def variance(self) -> Tensor | float:
        """The variance: a number, or where it is learned a scalar tensor."""
        return self._given if self.log_variance is None else self.log_variance.exp()

    def forward(self, x: Tensor, output: Tensor) -> Tensor:
        return self.value_and_slope(x, output)[0]

    def slope(self, x: Tensor, output: Tensor) -> Tensor:
        return (output - x) / self.variance

    def value_and_slope(self, x: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        gap = output - x
        slope = gap / self.variance
        log_variance = log(self._given) if self.log_variance is None else self.log_variance
        return 0.5 * ((slope * gap).sum(-1) + x.shape[-1] * (log(2 * pi) + log_variance)), slope

    def bend(self, x: Tensor, output: Tensor) -> Tensor:
        shape = torch.broadcast_shapes(x.shape, output.shape)
        return torch.ones(shape, dtype=output.dtype, device=output.device) / self.variance

    def mean(self, output: Tensor) -> Tensor:
        return output


@final
class BernoulliEmission(Emission):
    """A Bernoulli emission: x in [0, 1] with log odds f."""

    def forward(self, x: Tensor, output: Tensor) -> Tensor:
        return (functional.softplus(output) - x * output).sum(-1)

    def slope(self, x: Tensor, output: Tensor) -> Tensor:
        return torch.sigmoid(output) - x

    def bend(self, x: Tensor, output: Tensor) -> Tensor:
        chance = torch.sigmoid(output)
        return (chance * (1 - chance)).expand(torch.broadcast_shapes(x.shape, output.shape))

    def mean(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)
