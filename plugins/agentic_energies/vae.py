"""A variational autoencoder as an energy (Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014).

The energy is the decoder's and the prior's; the encoder only says where settling starts and what a Gaussian belief is
without settling. Point, Laplace, mean-field and amortized inference are different beliefs under this one energy.
"""

from collections.abc import Mapping, Sequence
from math import log, pi
from typing import Self, final

import torch
from torch import Tensor

from agentic import Belief, Encoder, Gaussian, LeastSquares, Point, Real, UserError
from agentic.engine import Amortized, normal_like
from agentic_energies.emission import Emission, GaussianEmission
from agentic_energies.network import Network


@final
class VAE(Amortized, Encoder, LeastSquares):
    """The energy E(x, z) = -log p(x | f(z)) - log N(z; 0, 1) in nats: `x` (*s, b, o) given, `z` (*s, b, d) free.

    The joint p(x, z) is normalized, p(z | x) is not: exp(-E) integrates to 1 over both, and over z alone
    to p(x), which is unknown. `decoder` maps d to o numbers that `emission` (default Gaussian of variance 1) reads;
    `encoder` maps o to 2 d numbers, mean and log standard deviation of the amortized belief. Raises UserError for
    networks that do not fit.
    """

    latent: Real

    def __init__(self, decoder: Network, emission: Emission | None = None, encoder: Network | None = None) -> None:
        super().__init__()
        latent, outcome = decoder.sizes[0], decoder.sizes[-1]
        if encoder is not None and (encoder.sizes[0], encoder.sizes[-1]) != (outcome, 2 * latent):
            raise UserError(
                f"a decoder from {latent} to {outcome} numbers needs an encoder from {outcome} to {2 * latent} "
                f"(means and log standard deviations), got one from {encoder.sizes[0]} to {encoder.sizes[-1]}"
            )
        self.decoder, self.encoder = decoder, encoder
        self.emission = GaussianEmission() if emission is None else emission
        self.latent = Real((latent,))

    @classmethod
    def of(
        cls,
        outcome: int,
        latent: int,
        hidden: Sequence[int] = (64,),
        *,
        activation: str = "tanh",
        emission: Emission | None = None,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """A decoder with these hidden layers, and an encoder with the same ones in reverse."""
        decoder = Network((latent, *hidden, outcome), activation, generator=generator, dtype=dtype)
        encoder = Network((outcome, *reversed(hidden), 2 * latent), activation, generator=generator, dtype=dtype)
        return cls(decoder, emission, encoder)

    @classmethod
    def example(cls) -> Self:
        """Three observed numbers, two latents, for the conformance kit."""
        return cls.of(3, 2, (4,), generator=torch.Generator().manual_seed(0))

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Observations in [0, 1], which every emission takes, and normal latents."""
        x = torch.rand(batch, self.decoder.sizes[-1], generator=generator, dtype=torch.float64)
        return x, self.latent.draw(batch, generator=generator)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.emission(x, self.decoder(z)) + self._prior(z)

    def terms(self, x: Tensor, z: Tensor) -> Mapping[str, Tensor]:
        shape = torch.broadcast_shapes(x.shape[:-1], z.shape[:-1])
        return {"reconstruction": self.emission(x, self.decoder(z)), "prior": self._prior(z).expand(shape)}

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        output, pull = self.decoder.pullback(z)
        return pull(self.emission.slope(x, output)) + z

    def value_and_gradient(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        output, pull = self.decoder.pullback(z)
        value, slope = self.emission.value_and_slope(x, output)
        return value + self._prior(z), pull(slope) + z

    def hessian(self, x: Tensor, z: Tensor) -> Tensor:
        output, jacobian = self.decoder(z), self.decoder.jacobian(z)
        fitted = jacobian.transpose(-2, -1) @ (self.emission.bend(x, output).unsqueeze(-1) * jacobian)
        eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
        return fitted + self.decoder.curvature(z, self.emission.slope(x, output)) + eye

    def joint_log_normalizer(self) -> Tensor:
        """The log of the integral of exp(-E) over x and z: 0."""
        return torch.zeros(())

    def decode(self, z: Tensor) -> Tensor:
        """The x expected of latents `z` (*s, b, d), (*s, b, o)."""
        return self.emission.mean(self.decoder(z))

    def given(self, x: Tensor) -> Gaussian:
        """The amortized belief about z (*s, b, d), with a diagonal covariance. Raises UserError without an encoder."""
        if self.encoder is None:
            raise UserError("this VAE has no encoder, hence no amortized belief: settle its latents, or give it one")
        mean, log_scale = self.encoder(x).chunk(2, -1)
        return Gaussian(mean, torch.diag_embed(torch.exp(2 * log_scale)))

    def start(self, x: Tensor) -> Tensor:
        """The start of settling: the encoder's mean, or the prior's without one; (*s, b, d)."""
        if self.encoder is None:
            return x.new_zeros(*x.shape[:-1], *self.latent.event)
        return self.encoder(x).chunk(2, -1)[0]

    def residuals(self, x: Tensor, z: Tensor) -> Tensor | None:
        """The scaled misfit and z of a Gaussian emission; None for others."""
        if not isinstance(self.emission, GaussianEmission):
            return None
        gap = (x - self.decoder(z)) / self.emission.variance**0.5
        return torch.cat([gap, z.expand(*gap.shape[:-1], -1)], -1)

    def free_energy(self, x: Tensor, belief: Belief, n: int = 1, *, generator: torch.Generator | None = None) -> Tensor:
        """The free energy E_q[E] - H[q] in nats, (*s, b), an upper bound of -log p(x); of a point its energy.

        For a Gaussian belief with a Gaussian emission of a linear decoder it is exact; otherwise the mean of the
        reconstruction is taken over `n` reparameterized draws. Differentiable in the belief as well as in the weights.
        Raises UserError for other beliefs.
        """
        if isinstance(belief, Point):
            return self(x, belief.z)
        if not isinstance(belief, Gaussian):
            raise UserError(f"a VAE's free energy is that of a Point or a Gaussian, got {type(belief).__name__}")
        mean, root = belief.mean, torch.linalg.cholesky(belief.covariance)
        trace, log_det = (root**2).sum((-2, -1)), 2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        divergence = 0.5 * ((mean**2).sum(-1) + trace - mean.shape[-1] - log_det)
        if self.decoder.linear and isinstance(self.emission, GaussianEmission):
            spread = ((self.decoder.jacobian(mean) @ root) ** 2).sum((-2, -1)) / (2 * self.emission.variance)
            exact: Tensor = self.emission(x, self.decoder(mean)) + spread + divergence
            return exact
        draws = mean + (root @ normal_like(mean, generator, n).unsqueeze(-1)).squeeze(-1)
        sampled: Tensor = self.emission(x, self.decoder(draws)).mean(0) + divergence
        return sampled

    def _prior(self, z: Tensor) -> Tensor:
        return 0.5 * ((z**2).sum(-1) + z.shape[-1] * log(2 * pi))
