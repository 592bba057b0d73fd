"""Multilayer perceptrons with derivatives in closed form, for decoders, encoders and predictors.

Settling asks for the derivative by the input thousands of times; a backward pass written out costs a fraction of
autograd's. All results are ordinary functions of the weights, so that autograd can still go through them.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import pi, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from agentic import UserError
from agentic.engine import normal_like

aten = torch.ops.aten


class Activation(NamedTuple):
    """An activation s(a), with v s'(a) as `pull(v, a, s(a))` and s''(a) as `bend(a, s(a))`. None: v, and 0."""

    value: Callable[[Tensor], Tensor]
    pull: Callable[[Tensor, Tensor, Tensor], Tensor] | None
    bend: Callable[[Tensor, Tensor], Tensor] | None

    def slope(self, a: Tensor, value: Tensor) -> Tensor:
        """The derivative s'(a)."""
        return torch.ones_like(a) if self.pull is None else self.pull(torch.ones_like(a), a, value)


def _silu_pull(v: Tensor, a: Tensor, value: Tensor) -> Tensor:
    if not torch.is_grad_enabled():
        faster: Tensor = aten.silu_backward.default(v, a)  # which has no derivative of its own
        return faster
    gate = torch.sigmoid(a)
    return v * (gate + value * (1 - gate))


def _silu_bend(a: Tensor, _: Tensor) -> Tensor:
    gate = torch.sigmoid(a)
    return gate * (1 - gate) * (2 + a * (1 - 2 * gate))


# Derivatives by the operations that autograd uses, each one pass over memory.
ACTIVATIONS = {
    "identity": Activation(lambda a: a, None, None),
    "tanh": Activation(torch.tanh, lambda v, a, h: aten.tanh_backward.default(v, h), lambda a, h: -2 * h * (1 - h * h)),
    "relu": Activation(torch.relu, lambda v, a, h: aten.threshold_backward.default(v, a, 0), None),
    "sigmoid": Activation(
        torch.sigmoid, lambda v, a, h: aten.sigmoid_backward.default(v, h), lambda a, h: h * (1 - h) * (1 - 2 * h)
    ),
    "softplus": Activation(
        functional.softplus,
        lambda v, a, h: aten.softplus_backward.default(v, a, 1, 20),
        lambda a, h: torch.sigmoid(a) * torch.sigmoid(-a),
    ),
    "silu": Activation(functional.silu, _silu_pull, _silu_bend),
    "gelu": Activation(
        functional.gelu,
        lambda v, a, h: aten.gelu_backward.default(v, a),
        lambda a, h: (2 - a * a) * torch.exp(-0.5 * a * a) / sqrt(2 * pi),
    ),
}


@final
class Network(nn.Module):
    """A perceptron f(x) = W_n s(... s(W_1 x + b_1) ...) + b_n of `sizes` (in, hidden..., out).

    `activation` is one of `ACTIVATIONS`; with "identity", or without a hidden layer, f is linear. Weights start as
    N(0, 1 / fan in), twice that for relu and its kin (He et al. 2015), biases as zero. Raises UserError for fewer than
    two sizes, sizes below 1 and unknown activations.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "tanh",
        *,
        generator: torch.Generator,
        bias: bool = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1:
            raise UserError(f"a network expects at least two positive sizes, input first, got {list(sizes)}")
        if activation not in ACTIVATIONS:
            raise UserError(f"activation expects one of {', '.join(ACTIVATIONS)}, got '{activation}'")
        self.sizes, self.activation = tuple(sizes), activation
        shapes = [(after, before) for before, after in pairwise(sizes)]
        self.weights = nn.ParameterList([nn.Parameter(torch.empty(shape, dtype=dtype)) for shape in shapes])
        widths = sizes[1:] if bias else ()
        self.biases = nn.ParameterList([nn.Parameter(torch.empty(width, dtype=dtype)) for width in widths])
        self.initialize(generator=generator)

    if TYPE_CHECKING:  # nn.Module's own says Any

        def __call__(self, x: Tensor) -> Tensor: ...

    @torch.no_grad()
    def initialize(self, *, generator: torch.Generator) -> None:
        """Draw the weights afresh."""
        gain = 2.0 if self.activation in ("relu", "silu", "gelu", "softplus") else 1.0
        for layer, weight in enumerate(self.weights):
            scale = sqrt((gain if layer else 1.0) / weight.shape[1])
            weight.copy_(scale * normal_like(weight, generator))
        for bias in self.biases:
            bias.zero_()

    @property
    def linear(self) -> bool:
        """Whether f(x) = A x + b."""
        return self.activation == "identity" or len(self.weights) == 1

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self.stack()
        value, activate = functional.linear(x, *first), ACTIVATIONS[self.activation].value
        for weight, bias in others:
            value = functional.linear(activate(value), weight, bias)
        return value

    def layer(self, index: int, x: Tensor) -> Tensor:
        """The value W x + b of one layer, without activation."""
        return functional.linear(x, *self.stack()[index])

    def pullback(self, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """The value f(x), and the map from v (*s, b, out) to v' df/dx (*s, b, in), from one forward pass."""
        kind, stack = ACTIVATIONS[self.activation], self.stack()
        value, passed = functional.linear(x, *stack[0]), []
        for weight, bias in stack[1:]:
            active = kind.value(value)
            passed.append((value, active))
            value = functional.linear(active, weight, bias)

        def pull(v: Tensor) -> Tensor:
            for index in range(len(stack) - 1, 0, -1):
                v = v @ stack[index][0]
                v = v if kind.pull is None else kind.pull(v, *passed[index - 1])
            return v @ stack[0][0]

        return value, pull

    def jacobian(self, x: Tensor) -> Tensor:
        """The Jacobian df/dx, (*s, b, out, in)."""
        return self._linearized(x)[-1][1]

    def curvature(self, x: Tensor, v: Tensor) -> Tensor:
        """The second derivatives of v' f, weighted sums over the outputs: (*s, b, in, in) for v (*s, b, out)."""
        kind, layers = ACTIVATIONS[self.activation], self._linearized(x)
        shape = torch.broadcast_shapes(x.shape[:-1], v.shape[:-1])
        total = torch.zeros(*shape, x.shape[-1], x.shape[-1], dtype=v.dtype, device=v.device)
        if kind.bend is None or kind.pull is None:
            return total
        for index in range(len(self.weights) - 1, 0, -1):
            before, jacobian = layers[index - 1]
            active, v = kind.value(before), v @ self.weights[index]
            bent = (v * kind.bend(before, active)).unsqueeze(-1) * jacobian
            total = total + jacobian.transpose(-2, -1) @ bent
            v = kind.pull(v, before, active)
        return total

    def _linearized(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Every layer's value and its derivative by x, (*s, b, width) and (*s, b, width, in)."""
        kind, value = ACTIVATIONS[self.activation], self.layer(0, x)
        layers = [(value, self.weights[0].expand(*x.shape[:-1], -1, -1))]
        for index in range(1, len(self.weights)):
            value, jacobian = layers[-1]
            active = kind.value(value)
            if kind.pull is not None:
                jacobian = kind.slope(value, active).unsqueeze(-1) * jacobian
            layers.append((self.layer(index, active), self.weights[index] @ jacobian))
        return layers

    def stack(self) -> list[tuple[Tensor, Tensor | None]]:
        """Weight and bias of every layer; a look into a module's lists costs as much as a small layer's product."""
        weights: list[Any] = list(self._modules["weights"]._parameters.values())  # type: ignore[union-attr]
        biases: list[Any] = list(self._modules["biases"]._parameters.values())  # type: ignore[union-attr]
        return list(zip(weights, biases or [None] * len(weights), strict=True))
