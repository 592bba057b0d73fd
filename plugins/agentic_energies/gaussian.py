"""A correlated Gaussian as an energy: the target on which samplers are tried and timed."""

from math import log, pi
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Conditional, Gaussian, UserError
from agentic_energies.arrays import check_finite, numbers


@final
class GaussianEnergy(Conditional):
    """The energy -log N(z; mean, precision^-1) in nats, z (*s, b, d); x only carries the batch, (b, 0) or None.

    `mean` (d,) and `precision` (d, d), symmetric and positive definite, or its diagonal (d,). Raises UserError for
    anything else.
    """

    def __init__(self, mean: Any, precision: Any) -> None:
        super().__init__()
        center = numbers("mean", mean)
        matrix = numbers("precision", precision)
        matrix = torch.diag(matrix) if matrix.dim() == 1 else matrix
        d = len(center) if center.dim() == 1 else 0
        if not d or matrix.shape != (d, d):
            shapes = f"{tuple(center.shape)} and {tuple(matrix.shape)}"
            raise UserError(f"a gaussian expects a mean of d numbers and a precision of d x d, got shapes {shapes}")
        check_finite("mean", center)
        root, failed = torch.linalg.cholesky_ex(check_finite("precision", matrix))
        if bool(failed) or not torch.allclose(matrix, matrix.T):
            raise UserError("the precision of a gaussian must be symmetric and positive definite")
        self.mean, self.precision = nn.Buffer(center), nn.Buffer(matrix)
        self.covariance, self.offset = nn.Buffer(torch.cholesky_inverse(root)), nn.Buffer(-center @ matrix)
        self.log_scale = 0.5 * d * log(2 * pi) - float(root.diagonal().log().sum())

    @classmethod
    def example(cls) -> Self:
        """Two correlated variables."""
        return cls([1.0, -1.0], [[2.0, 0.6], [0.6, 1.0]])

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A context of nothing, and standard normal places."""
        z = torch.randn(batch, len(self.mean), generator=generator, dtype=torch.float64)
        return z[:, :0], z

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self._value(z, self.gradient(x, z))

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        buffers: Any = self._buffers  # looked up through the module, they cost as much as a small product
        precision, offset = buffers["precision"], buffers["offset"]
        slope: Tensor = torch.addmm(offset, z, precision) if z.dim() == 2 else z @ precision + offset
        return slope

    def value_and_gradient(self, x: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        slope = self.gradient(x, z)
        return self._value(z, slope), slope

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        return self.precision.expand(*z.shape, z.shape[-1])

    def given(self, x: Any) -> Gaussian:
        batch = (1,) if x is None else x.shape[:-1]
        return Gaussian(self.mean.expand(*batch, -1), self.covariance.expand(*batch, -1, -1))

    def _value(self, z: Tensor, slope: Tensor) -> Tensor:
        value: Tensor = torch.linalg.vecdot(z - self.mean, slope).mul_(0.5).add_(self.log_scale)
        return value
