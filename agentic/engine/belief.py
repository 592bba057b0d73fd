"""Beliefs: probability distributions over latents, observations, actions or weights.

Frozen dataclasses of tensors with the batch axis second from the event: `(*sample, batch, *event)`. The family of a
belief names the method: a point (entropy counted as 0), a Gaussian, a categorical, weighted particles.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self, final

import torch
from torch import Tensor

from agentic.engine.domain import Simplex
from agentic.engine.draws import indices, normal_like
from agentic.errors import RunError, UserError

Factor = Callable[[Tensor], Tensor | None]  # places (*s, b, *event) to the probability (*s, b) of an event there


class Belief(ABC):
    """A probability distribution over events, one per row, with a `mean` (*s, b, *event) and random draws."""

    if TYPE_CHECKING:  # a field of some families, derived in others

        @property
        def mean(self) -> Tensor: ...

    @property
    def mode(self) -> Tensor:
        """The most probable event, (*s, b, *event); the mean in families that do not define it."""
        return self.mean

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` draws, (n, *s, b, *event)."""

    @abstractmethod
    def where(self, mask: Tensor, other: Self) -> Self:
        """The belief with the rows of this one where `mask` (b,) is true and those of `other` elsewhere."""

    def reweighted(self, factor: Factor) -> tuple["Belief", Tensor | None]:
        """The belief conditioned on an event of probability `factor(z)`, and that event's probability (*s, b).

        Where `factor` returns None, for a certain event, the belief itself and None. Raises TypeError for a family
        that cannot be conditioned on any other.
        """
        if factor(self.mean) is None:
            return self, None
        raise TypeError(f"{type(self).__name__} cannot be conditioned on an event: use a Categorical or Particles")


class Density(Belief):
    """A belief with a normalized density."""

    @abstractmethod
    def energy(self, z: Tensor) -> Tensor:
        """The energy `-log q(z)` in nats, (*s, b)."""

    @abstractmethod
    def entropy(self) -> Tensor:
        """The entropy `E_q[-log q]` in nats, (*s, b)."""

    @abstractmethod
    def divergence(self, other: Self) -> Tensor:
        """The Kullback-Leibler divergence `KL(self || other)` in nats, (*s, b)."""

    @abstractmethod
    def gradient(self, z: Tensor) -> Tensor:
        """The gradient d energy / dz, shaped like `z`."""

    @abstractmethod
    def hessian(self, z: Tensor) -> Tensor:
        """The Hessian d2 energy / dz2, (*s, b, d, d)."""

    def residuals(self, z: Tensor) -> Tensor | None:
        """The residuals r (*s, b, m) of an energy that is |r|^2 / 2 plus a constant; None for any other."""
        return None


@final
@dataclass(frozen=True)
class Point(Belief):
    """A point mass on one event `z` (*s, b, *event)."""

    z: Tensor

    @property
    def mean(self) -> Tensor:
        """The event itself."""
        return self.z

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.z.expand(n, *self.z.shape)

    def where(self, mask: Tensor, other: Self) -> Self:
        return type(self)(rows(mask, self.z, other.z, 1))

    def reweighted(self, factor: Factor) -> tuple[Belief, Tensor | None]:
        return self, factor(self.z)


@final
@dataclass(frozen=True)
class Gaussian(Density):
    """A normal distribution with `mean` (*s, b, d) and `covariance` (*s, b, d, d), which may be singular."""

    mean: Tensor
    covariance: Tensor

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        value: Tensor = self.mean + (self._root() @ normal_like(self.mean, generator, n).unsqueeze(-1)).squeeze(-1)
        return value

    def cubature(self) -> Tensor:
        """The cubature points (2 d, *s, b, d), equally weighted, with this mean and covariance, which may be singular.

        Spherical-radial cubature: the mean of a polynomial over them is exact to the third degree (Arasaratnam and
        Haykin 2009). Its derivative by the covariance exists where no two eigenvalues are equal.
        """
        offsets = self._root(self.mean.shape[-1]).movedim(-1, 0)
        return torch.cat([self.mean + offsets, self.mean - offsets])

    def _root(self, scale: float = 1.0) -> Tensor:
        """A root (*s, b, d, d) of `scale` times the covariance, eigenvector by eigenvector."""
        values, vectors = torch.linalg.eigh(self.covariance)
        root: Tensor = vectors * (scale * values.clamp(min=0)).sqrt().unsqueeze(-2)
        return root

    def where(self, mask: Tensor, other: Self) -> Self:
        return type(self)(rows(mask, self.mean, other.mean, 1), rows(mask, self.covariance, other.covariance, 2))

    @cached_property
    def _factored(self) -> tuple[Tensor, Tensor]:
        """The inverse covariance and log det of the covariance; without a density where that is singular."""
        root, failed = torch.linalg.cholesky_ex(self.covariance)
        if bool(failed.any()):
            raise RunError("a Gaussian of singular covariance has no density: give every direction some variance")
        return torch.cholesky_inverse(root), 2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def _square(self, gap: Tensor) -> Tensor:
        return ((gap.unsqueeze(-2) @ self._factored[0]).squeeze(-2) * gap).sum(-1)

    def energy(self, z: Tensor) -> Tensor:
        return 0.5 * (self._square(z - self.mean) + self._factored[1] + z.shape[-1] * math.log(2 * math.pi))

    def gradient(self, z: Tensor) -> Tensor:
        slope: Tensor = ((z - self.mean).unsqueeze(-2) @ self._factored[0]).squeeze(-2)
        return slope

    def hessian(self, z: Tensor) -> Tensor:
        return self._factored[0].expand(*z.shape, z.shape[-1])

    def residuals(self, z: Tensor) -> Tensor:
        root = torch.linalg.cholesky(self._factored[0])
        r: Tensor = ((z - self.mean).unsqueeze(-2) @ root).squeeze(-2)
        return r

    def entropy(self) -> Tensor:
        return 0.5 * (self._factored[1] + self.mean.shape[-1] * math.log(2 * math.pi * math.e))

    def divergence(self, other: Self) -> Tensor:
        precision, log_det = other._factored
        trace = (precision * self.covariance).sum((-2, -1))
        square = other._square(other.mean - self.mean)
        return 0.5 * (square + trace - self.mean.shape[-1] + log_det - self._factored[1])


@final
@dataclass(frozen=True)
class Categorical(Density):
    """Probabilities of one factor, or of several independent ones as consecutive blocks (*s, b, sum of sizes)."""

    probs: Tensor
    sizes: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.sizes:
            object.__setattr__(self, "sizes", (self.probs.shape[-1],))

    @property
    def mean(self) -> Tensor:
        """The probabilities, the mean of one-hot events, (*s, b, n)."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        return Simplex(self.sizes).project(self.probs)

    @property
    def blocks(self) -> tuple[Tensor, ...]:
        """Each factor's probabilities, (*s, b, n)."""
        return torch.split(self.probs, list(self.sizes), -1) if len(self.sizes) > 1 else (self.probs,)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        draws = []
        for block in self.blocks:
            index = indices(block, generator, n)
            draws.append(block.new_zeros(n, *block.shape).scatter_(-1, index.unsqueeze(-1), 1.0))
        return draws[0] if len(draws) == 1 else torch.cat(draws, -1)

    def where(self, mask: Tensor, other: Self) -> Self:
        return type(self)(rows(mask, self.probs, other.probs, 1), self.sizes)

    def energy(self, z: Tensor) -> Tensor:
        """The energy `-z . log q` (*s, b), linear in `z`; 0 log 0 counts as 0."""
        return -(z * torch.where(z > 0, self.probs.log(), torch.zeros((), dtype=z.dtype))).sum(-1)

    def gradient(self, z: Tensor) -> Tensor:
        return -self.probs.log().expand_as(z)

    def hessian(self, z: Tensor) -> Tensor:
        return torch.zeros(*z.shape, z.shape[-1], dtype=z.dtype, device=z.device)

    def entropy(self) -> Tensor:
        q = torch.where(self.probs == 0, 1.0, self.probs)  # zeros have no slope
        value: Tensor = -torch.special.xlogy(q, q).sum(-1)
        return value

    def divergence(self, other: Self) -> Tensor:
        ratio = torch.special.xlogy(self.probs, self.probs) - torch.special.xlogy(self.probs, other.probs)
        value: Tensor = ratio.sum(-1)
        return value

    def reweighted(self, factor: Factor) -> tuple[Belief, Tensor | None]:
        if factor(self.probs) is None:
            return self, None
        shape = (self.probs.shape[-1], *[1] * (self.probs.dim() - 1), -1)
        value = torch.eye(shape[0]).to(self.probs).view(shape)
        own = torch.block_diag(*[torch.ones(n, n) for n in self.sizes]).to(self.probs).view(shape)
        chance = factor(torch.where(own > 0, value, self.probs))  # one factor at a value, the others as believed
        assert chance is not None
        return self.given(chance.movedim(0, -1))

    def given(self, chance: Tensor) -> tuple[Belief, Tensor]:
        """The belief conditioned on an event that has probability `chance` (*s, b, n) at each value, and its own.

        Of several factors each has its exact marginal; what the event makes them depend on each other is left out.
        """
        given = []
        for own, joint in zip(self.blocks, Simplex(self.sizes).blocks(self.probs * chance), strict=True):
            total = joint.sum(-1)
            given.append(torch.where(total.unsqueeze(-1) > 0, joint / total.unsqueeze(-1), own))
        return Categorical(torch.cat(given, -1), self.sizes), total


@final
@dataclass(frozen=True)
class Particles(Belief):
    """Weighted draws: `z` (k, *s, b, *event) with normalized `log_weights` (k, *s, b)."""

    z: Tensor
    log_weights: Tensor

    @property
    def mean(self) -> Tensor:
        """The weighted mean of the particles, (b, *event)."""
        return self.expected(self.z)

    def expected(self, values: Tensor) -> Tensor:
        """The weighted mean of `values` (k, *s, b, ...) over the particles. Raises UserError for fewer axes."""
        extra = values.dim() - self.log_weights.dim()
        if extra < 0:
            raise UserError(
                f"values of particles have shape {tuple(values.shape)} where (batch,) is wanted after the particles: "
                "an energy sums over the axes of its variable alone, as .sum(-1) does"
            )
        return (self.log_weights.exp().reshape(*self.log_weights.shape, *[1] * extra) * values).sum(0)

    def beside(self, samples: int) -> "Particles":
        """The same belief for `samples` sample axes, (k, 1, ..., 1, b, *event) where it has fewer."""
        missing = samples + 2 - self.log_weights.dim()
        if missing <= 0:
            return self
        axes = [1] * missing
        log_weights = self.log_weights.view(len(self.z), *axes, *self.log_weights.shape[1:])
        return Particles(self.z.reshape(len(self.z), *axes, *self.z.shape[1:]), log_weights)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        index = indices(self.log_weights.exp().movedim(0, -1), generator, n)
        extra = self.z.dim() - self.log_weights.dim()
        index = index.reshape(*index.shape, *[1] * extra).expand(n, *self.z.shape[1:])
        return torch.gather(self.z, 0, index)

    def where(self, mask: Tensor, other: Self) -> Self:
        return type(self)(rows(mask, self.z, other.z, 1), rows(mask, self.log_weights, other.log_weights, 0))

    def reweighted(self, factor: Factor) -> tuple[Belief, Tensor | None]:
        chance = factor(self.z)
        if chance is None:
            return self, None
        joint = self.log_weights + chance.clamp(min=torch.finfo(chance.dtype).tiny).log()  # whose slope is a number
        return Particles(self.z, joint.log_softmax(0)), self.expected(chance)


def rows(mask: Tensor, fresh: Tensor, old: Tensor, events: int) -> Tensor:
    """Rows of `fresh` where `mask` (b,) is true; the batch is the axis before the last `events` axes."""
    return torch.where(mask.reshape(-1, *[1] * events), fresh, old)
