"""Beliefs without a closed form: where particles may go under a transition, and different beliefs in different rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Density, Particles
from agentic.engine.derivatives import row_gradient, row_jacobian
from agentic.engine.energy import Conditional
from agentic.errors import UserError


@final
@dataclass(frozen=True)
class PushForward(Belief):
    """Where particles may go: the mixture sum_i w_i p(z' | z_i, a) of a transition's distributions.

    `transition((z, a), z')`, particles `before` (k, b, *event), `action` (b, *event).
    """

    transition: Conditional
    before: Particles
    action: Tensor

    @cached_property
    def after(self) -> Belief:
        """Where each particle may go, (k, b, *event)."""
        return self.transition.given((self.before.z, self.action))

    @property
    def mean(self) -> Tensor:
        """The mean of the mixture, (b, *event)."""
        return self.before.expected(self.after.mean)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        parents = self.before.sample(n, generator)
        return self.transition.given((parents, self.action)).sample(1, generator)[0]

    def moved(self, generator: torch.Generator) -> Particles:
        """Every particle one step on, with the weight it had."""
        return Particles(self.after.sample(1, generator)[0], self.before.log_weights)

    def energy(self, z: Tensor) -> Tensor:
        """`-log sum_i w_i p(z | z_i, a)` in nats, (*s, b)."""
        spare = [1] * (z.dim() + 1 - self.before.z.dim())
        parents, weights = self.before.z, self.before.log_weights
        parents = parents.view(len(parents), *spare, *parents.shape[1:])
        weights = weights.view(len(weights), *spare, *weights.shape[1:])
        return -torch.logsumexp(weights - self.transition((parents, self.action), z), 0)

    def gradient(self, z: Tensor) -> Tensor:
        """d energy / dz, shaped like `z`."""
        return row_gradient(self.energy, z)

    def hessian(self, z: Tensor) -> Tensor:
        """d2 energy / dz2, (*s, b, d, d)."""
        return row_jacobian(lambda free: row_gradient(self.energy, free), z)

    def where(self, mask: Tensor, other: Self) -> Self:
        rows = mask.view(-1, *[1] * (self.action.dim() - 1))
        action = torch.where(rows, self.action, other.action)
        return type(self)(self.transition, self.before.where(mask, other.before), action)


@final
@dataclass(frozen=True)
class Either(Belief):
    """`first` in the rows where `mask` (b,) is true, `second` in the others: beliefs of two families."""

    mask: Tensor
    first: Belief
    second: Belief

    @property
    def mean(self) -> Tensor:
        """The mean of each row in its own family, (b, *event)."""
        return self._rows(lambda belief: belief.mean)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self._rows(lambda belief: belief.sample(n, generator))

    def energy(self, z: Tensor) -> Tensor:
        """`-log q(z)` in nats, (*s, b)."""
        return torch.where(self.mask, density(self.first).energy(z), density(self.second).energy(z))

    def gradient(self, z: Tensor) -> Tensor:
        """d energy / dz, shaped like `z`."""
        return self._rows(lambda belief: density(belief).gradient(z))

    def hessian(self, z: Tensor) -> Tensor:
        """d2 energy / dz2, (*s, b, d, d)."""
        rows = self.mask.view(-1, 1, 1)
        return torch.where(rows, density(self.first).hessian(z), density(self.second).hessian(z))

    def where(self, mask: Tensor, other: Self) -> Self:
        return type(self)(mask, self, other)

    def _rows(self, part: Callable[[Belief], Tensor]) -> Tensor:
        events = self.first.mean.dim() - 1
        return torch.where(self.mask.view(-1, *[1] * events), part(self.first), part(self.second))


def merged(mask: Tensor, fresh: Belief, old: Belief) -> Belief:
    """Rows of `fresh` where `mask` (b,) is true, rows of `old` elsewhere, of one family or of two."""
    return fresh.where(mask, old) if type(fresh) is type(old) else Either(mask, fresh, old)


def density(belief: Belief) -> Density | PushForward | Either:
    """The belief itself, where it has a density. Raises UserError for a point or for particles."""
    if isinstance(belief, Density | PushForward | Either):
        return belief
    raise UserError(
        f"perceiving needs a prior belief with a density, got {type(belief).__name__}: "
        "weigh particles with a particle filter, or push them through a transition first"
    )
