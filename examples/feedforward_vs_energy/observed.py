"""A latent-variable energy of which a part is seen: what is missing follows from the latents that settle."""

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor

from agentic import Energy, LeastSquares
from agentic_energies.emission import GaussianEmission
from agentic_energies.vae import VAE


@final
class Observed(Energy, LeastSquares):
    """-log p(seen part of v | z) + |z|^2 / 2 of a VAE, without constants: x = (v, seen) given, z free.

    `v` (*s, b, o) and `seen` (*s, b, o) of ones and zeros; what v holds where it is not seen does not matter.
    """

    def __init__(self, model: VAE) -> None:
        super().__init__()
        assert isinstance(model.emission, GaussianEmission)
        self.model, self.emission = model, model.emission

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.value_and_gradient(x, z)[0]

    def value_and_gradient(self, x: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        error, pull = self._error(x, z)
        weighted = error / self.emission.variance
        return 0.5 * ((error * weighted).sum(-1) + z.square().sum(-1)), pull(weighted) + z

    def residuals(self, x: Any, z: Tensor) -> Tensor:
        error, _ = self._error(x, z)
        return torch.cat([error / self.emission.variance**0.5, z.expand(*error.shape[:-1], -1)], -1)

    def _error(self, x: Any, z: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        whole, seen = x
        output, pull = self.model.decoder.pullback(z)
        return (output - whole) * seen, pull
