"""The factors of a linear-Gaussian model: observation, transition and prior."""

from math import log, pi
from typing import Any, final

import torch
from torch import Tensor, nn

from agentic import Belief, ClosedForm, Conditional, Gaussian, LeastSquares, Particles, UserError


@final
class LinearObservation(Conditional, LeastSquares):
    """The observation -log N(obs; C z + d, R): `forward(z, obs)`."""

    def __init__(self, C: Tensor, d: Tensor, R: Tensor) -> None:
        super().__init__()
        self.C, self.d, self.R = nn.Buffer(C), nn.Buffer(d), nn.Buffer(R)
        root, failed = torch.linalg.cholesky_ex(R)
        self.exact = bool(failed)  # some direction is seen without noise: no density, but a distribution
        self.precision = nn.Buffer(torch.full_like(R, torch.nan) if self.exact else torch.cholesky_inverse(root))
        self.curvature = nn.Buffer(C.T @ self.precision @ C)
        self.log_scale = nn.Buffer(root.diagonal().log().sum() + 0.5 * len(R) * log(2 * pi))

    def take_noise(self, variances: Tensor) -> None:
        """Put independent noise of `variances` (o,) > 0 in place of R."""
        self.R.copy_(torch.diag(variances))
        self.precision.copy_(torch.diag(1 / variances))
        self.curvature.copy_(self.C.T @ self.precision @ self.C)
        self.log_scale.copy_(0.5 * (2 * pi * variances).log().sum())

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        if self.exact:
            raise UserError(
                "R is singular, so that -log p(obs | z) is infinite almost everywhere: give R some variance"
            )
        gap = z - x @ self.C.T - self.d
        return 0.5 * ((gap @ self.precision) * gap).sum(-1) + self.log_scale

    def residuals(self, x: Tensor, z: Tensor) -> Tensor:
        r: Tensor = (z - x @ self.C.T - self.d) @ torch.linalg.cholesky(self.precision)
        return r

    def given(self, x: Tensor) -> Gaussian:
        mean = x @ self.C.T + self.d
        return Gaussian(mean, self.R.expand(*mean.shape, -1))

    def push(self, belief: Belief) -> Belief:
        """The push-forward of a belief: of particles their observations without noise, else a Gaussian."""
        if isinstance(belief, Particles):
            return Particles(belief.z @ self.C.T + self.d, belief.log_weights)
        mean = belief.mean @ self.C.T + self.d
        spread = self.C @ belief.covariance @ self.C.T + self.R if isinstance(belief, Gaussian) else self.R
        return Gaussian(mean, spread.expand(*mean.shape, -1))

    def ambiguity(self, belief: Belief) -> Tensor:
        """The noise's entropy, (*s, b), nats."""
        return (self.log_scale + 0.5 * len(self.R)).to(belief.mean).expand(belief.mean.shape[:-1])

    def swapped(self) -> "SwappedLinear":
        return SwappedLinear(self)


@final
class SwappedLinear(ClosedForm, LeastSquares):
    """The observation -log N(obs; C z + d, R) as an energy of the latent: `forward(obs, z)`."""

    def __init__(self, observation: LinearObservation) -> None:
        super().__init__()
        self.observation = observation

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.observation(z, x)

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        o = self.observation
        slope: Tensor = (z @ o.C.T + o.d - x) @ o.precision @ o.C
        return slope

    def hessian(self, x: Tensor, z: Tensor) -> Tensor:
        return self.observation.curvature.expand(*z.shape, z.shape[-1])

    def residuals(self, x: Tensor, z: Tensor) -> Tensor:
        return self.observation.residuals(z, x)


@final
class LinearTransition(Conditional):
    """The transition -log N(z'; A z + B a + c, Q): `forward((z, a), z')`, of the system of a `LinearGaussian`."""

    def __init__(self, A: Tensor, B: Tensor, c: Tensor, Q: Tensor) -> None:
        super().__init__()
        self.A, self.B = nn.Buffer(A), nn.Buffer(B)
        self.c, self.Q = nn.Buffer(c), nn.Buffer(Q)

    def mean(self, z: Tensor, action: Tensor) -> Tensor:
        """The expected next latent A z + B a + c."""
        return z @ self.A.T + action.to(self.B.dtype) @ self.B.T + self.c

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        return Gaussian(self.mean(*x), self.Q).energy(z)

    def given(self, x: tuple[Tensor, Tensor]) -> Gaussian:
        mean = self.mean(*x)
        return Gaussian(mean, self.Q.expand(*mean.shape, -1))


@final
class GaussianPrior(Conditional):
    """The prior -log N(z; mean, covariance) at the start of an episode: `forward(c, z)` with c (b, 0)."""

    def __init__(self, mean: Tensor, covariance: Tensor) -> None:
        super().__init__()
        self.mean, self.covariance = nn.Buffer(mean), nn.Buffer(covariance)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return Gaussian(self.mean, self.covariance).energy(z)

    def given(self, x: Tensor) -> Gaussian:
        batch = x.shape[:-1]
        return Gaussian(self.mean.expand(*batch, -1), self.covariance.expand(*batch, -1, -1))
