"""The ordinary function approximator as an energy: a cost on inputs and outputs without latents."""

from collections.abc import Sequence
from typing import Self, final

import torch
from torch import Tensor

from agentic import Conditional, Encoder, Gaussian, LeastSquares, Real
from agentic_energies.emission import GaussianEmission
from agentic_energies.network import Network


@final
class Feedforward(Conditional, Encoder, LeastSquares):
    """The energy -log N(y; f(x), variance) in nats: `x` (*s, b, in) given, `y` (*s, b, out) free.

    One mode for every x: where several y fit, the settled one is f(x), their mean. `network` is f. `variance` is given,
    or with `learned_variance` a weight that starts there. Raises UserError for a variance that is not > 0.
    """

    latent: Real

    def __init__(self, network: Network, variance: float = 1.0, *, learned_variance: bool = False) -> None:
        super().__init__()
        self.network = network
        self.emission = GaussianEmission(variance, learned=learned_variance)
        self.latent = Real((network.sizes[-1],))

    @classmethod
    def of(
        cls,
        sizes: Sequence[int],
        activation: str = "tanh",
        *,
        variance: float = 1.0,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """An energy with a network of these sizes, input first."""
        return cls(Network(sizes, activation, generator=generator, dtype=dtype), variance)

    @classmethod
    def example(cls) -> Self:
        """Three numbers to two, for the conformance kit."""
        return cls.of((3, 4, 2), variance=0.5, generator=torch.Generator().manual_seed(0))

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Normal inputs and outputs."""
        ends = self.network.sizes[0], self.network.sizes[-1]
        x, y = (torch.randn(batch, size, generator=generator, dtype=torch.float64) for size in ends)
        return x, y

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.emission(z, self.network(x))

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return -self.emission.slope(z, self.network(x))

    def value_and_gradient(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = self.emission.value_and_slope(z, self.network(x))
        return value, -slope

    def hessian(self, x: Tensor, z: Tensor) -> Tensor:
        eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
        return (eye / self.emission.variance).expand(*z.shape, -1)

    def given(self, x: Tensor) -> Gaussian:
        mean = self.network(x)
        eye = torch.eye(mean.shape[-1], dtype=mean.dtype, device=mean.device)
        return Gaussian(mean, (self.emission.variance * eye).expand(*mean.shape, -1))

    def residuals(self, x: Tensor, z: Tensor) -> Tensor:
        """The misfit in units of its standard deviation."""
        return (z - self.network(x)) / self.emission.variance**0.5

    def start(self, x: Tensor) -> Tensor:
        """The start of settling, and its end: f(x)."""
        return self.network(x)
