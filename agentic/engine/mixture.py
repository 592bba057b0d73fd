"""Mixtures: the push-forward of particles through a transition, and beliefs of two families in different rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Density, Particles, rows
from agentic.engine.derivatives import row_jacobian, row_value_and_gradient
from agentic.engine.energy import Conditional
from agentic.errors import UserError


@final
@dataclass(frozen=True)
class PushForward(Belief):
    """The push-forward of particles through a transition, the mixture sum_i w_i p(z' | z_i, a).

    `transition((z, a), z')`, particles `before` (k, b, *event), `action` (b, *event).
    """

    transition: Conditional
    before: Particles
    action: Tensor

    @cached_property
    def after(self) -> Belief:
        """The components p(z' | z_i, a), a belief over (k, b, *event)."""
        return self.transition.given((self.before.z, self.action))

    @property
    def mean(self) -> Tensor:
        """The mean of the mixture, (b, *event)."""
        return self.before.expected(self.after.mean)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        parents = self.before.sample(n, generator)
        return self.transition.given((parents, self.action)).sample(1, generator)[0]

    def moved(self, generator: torch.Generator) -> Particles:
        """Particles one step later, each drawn from its own component, with their weights unchanged."""
        return Particles(self.after.sample(1, generator)[0], self.before.log_weights)

    def energy(self, z: Tensor) -> Tensor:
        """The energy `-log sum_i w_i p(z | z_i, a)` in nats, (*s, b)."""
        events = self.before.z.dim() - self.before.log_weights.dim()
        before = self.before.beside(z.dim() - 1 - events)
        return -torch.logsumexp(before.log_weights - self.transition((before.z, self.action), z), 0)

    def gradient(self, z: Tensor) -> Tensor:
        """The gradient d energy / dz, shaped like `z`."""
        return row_value_and_gradient(self.energy, z)[1]

    def hessian(self, z: Tensor) -> Tensor:
        """The Hessian d2 energy / dz2, (*s, b, d, d)."""
        return row_jacobian(self.gradient, z)

    def where(self, mask: Tensor, other: Self) -> Self:
        action = rows(mask, self.action, other.action, self.action.dim() - 1)
        return type(self)(self.transition, self.before.where(mask, other.before), action)


@final
@dataclass(frozen=True)
class Either(Belief):
    """A belief that is `first` in the rows where `mask` (b,) is true and `second`, of another family, elsewhere."""

    mask: Tensor
    first: Belief
    second: Belief

    @property
    def mean(self) -> Tensor:
        """The mean of each row in its own family, (b, *event)."""
        return self._rows(lambda belief: belief.mean, self._events)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self._rows(lambda belief: belief.sample(n, generator), self._events)

    def energy(self, z: Tensor) -> Tensor:
        """The energy `-log q(z)` in nats, (*s, b)."""
        return self._rows(lambda belief: density(belief).energy(z), 0)

    def gradient(self, z: Tensor) -> Tensor:
        """The gradient d energy / dz, shaped like `z`."""
        return self._rows(lambda belief: density(belief).gradient(z), self._events)

    def hessian(self, z: Tensor) -> Tensor:
        """The Hessian d2 energy / dz2, (*s, b, d, d)."""
        return self._rows(lambda belief: density(belief).hessian(z), 2)

    def where(self, mask: Tensor, other: Self) -> Self:
        return type(self)(mask, self, other)

    @property
    def _events(self) -> int:
        return self.first.mean.dim() - 1

    def _rows(self, part: Callable[[Belief], Tensor], events: int) -> Tensor:
        return rows(self.mask, part(self.first), part(self.second), events)


def merged(mask: Tensor, fresh: Belief, old: Belief) -> Belief:
    """The belief with the rows of `fresh` where `mask` (b,) is true and those of `old` elsewhere."""
    return fresh.where(mask, old) if type(fresh) is type(old) else Either(mask, fresh, old)


def density(belief: Belief) -> Density | PushForward | Either:
    """The belief itself, where it has a density. Raises UserError for a point or for particles."""
    if isinstance(belief, Density | PushForward | Either):
        return belief
    raise UserError(
        f"perceiving needs a prior belief with a density, got {type(belief).__name__}: "
        "weigh particles with a particle filter, or push them through a transition first"
    )
