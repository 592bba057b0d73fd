"""Weights as latents: what is lowered, of a module's flattened weights, where they are believed and not only fitted.

Any solver takes it: newton gives the Laplace belief, samplers give particles, gradient descent the mode.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar, final

import torch
from torch import Tensor, nn

from agentic import Domain, Energy, Loss, Objective, Real, UserError
from agentic.engine import permutation
from agentic_optimizers.likelihood import Likelihood
from agentic_optimizers.rows import Lowered, Rows

T = TypeVar("T")


@final
@dataclass(frozen=True)
class WithPrior(Loss):
    """A loss per datum, plus a prior energy of the weights over the number of data: -log p(theta | data) / n.

    `prior` is an energy of flattened weights (a `weight_prior`), `count` how many data there are in all, not in a
    batch. Info adds `prior`, in nats.
    """

    loss: Loss
    prior: Energy
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UserError(f"with_prior expects a count of at least 1 datum, got {self.count}")

    def __call__(self, module: Any, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        value, info = self.loss(module, rows, generator=generator)
        prior = self.prior(None, weights_of(module).unsqueeze(0))[0]
        return value + prior / self.count, {**info, "prior": prior.detach()}


@final
@dataclass(frozen=True)
class WeightPosterior(Objective):
    """Minus log posterior of flattened weights z (*s, b, p), -log p(data | z) - log p(z) in nats.

    That is `count` times the mean loss plus the prior. `loss` is a mean over rows of data that draws nothing
    (`Likelihood`); `count` is the number of data, by default that of the rows, more where those are a minibatch. The
    module itself is left as it is.
    """

    module: nn.Module
    data: Sequence[Tensor]
    prior: Energy
    loss: Loss = field(default_factory=Likelihood)
    count: int = 0

    def __post_init__(self) -> None:
        if not len(self.data) or len({len(part) for part in self.data}) > 1 or not len(self.data[0]):
            lengths = [len(part) for part in self.data]
            raise UserError(f"weight_posterior expects rows of data, equally many in each tensor, got {lengths}")
        if not self.count:
            object.__setattr__(self, "count", len(self.data[0]))

    @property
    def domain(self) -> Domain:
        return Real(tuple(weights_of(self.module).shape))

    def proposal(self) -> Tensor:
        """The module's present weights, (1, p)."""
        return weights_of(self.module).detach().unsqueeze(0)

    def __call__(self, z: Tensor) -> Tensor:
        each = [self.count * at_weights(self.module, row, self._mean) for row in z.reshape(-1, z.shape[-1])]
        return torch.stack(each).reshape(z.shape[:-1]) + self.prior(None, z)

    def _mean(self, module: nn.Module) -> Tensor:
        return self.loss(module, tuple(self.data), generator=None)[0]

    def minibatch(self, size: int, *, generator: torch.Generator | None) -> Self:
        """The posterior from `size` rows drawn without replacement: an unbiased estimate of value and gradient."""
        rows = len(self.data[0])
        if size >= rows:
            return self
        chosen = permutation(self.data[0], generator)[:size]
        return replace(self, data=tuple(part[chosen.to(part.device)] for part in self.data))


def weights_of(module: nn.Module) -> Tensor:
    """A module's trainable weights as one vector (p,), in the order of `parameters()`; gradients pass."""
    weights = [weight.flatten() for weight in module.parameters() if weight.requires_grad]
    if not weights:
        raise UserError(f"{type(module).__name__} has no trainable weights")
    return torch.cat(weights)


def named_weights(module: nn.Module, z: Tensor) -> dict[str, Tensor]:
    """The vector z (p,) cut into a module's trainable weights, by name. Raises UserError for another length."""
    trainable = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]
    sizes = [weight.numel() for _, weight in trainable]
    if sum(sizes) != len(z):
        raise UserError(f"{type(module).__name__} has {sum(sizes)} trainable weights, got {len(z)}")
    pieces = torch.split(z, sizes)
    return {name: piece.view(weight.shape) for (name, weight), piece in zip(trainable, pieces, strict=True)}


def at_weights(module: nn.Module, z: Tensor, function: Callable[[Any], T]) -> T:
    """The value of `function(module)` with z (p,) in place of the module's own weights, differentiable by z."""
    weights = {f"module.{name}": piece for name, piece in named_weights(module, z).items()}
    value: T = torch.func.functional_call(_Asked(module, function), weights, ())
    return value


class _Asked(nn.Module):
    """A function of a module as a module, so that other weights can be put in its place."""

    def __init__(self, module: nn.Module, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.module, self.function = module, function

    def forward(self) -> Any:
        return self.function(self.module)
