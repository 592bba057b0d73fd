"""Predictive coding: a chain of layers that each predict the next, and latents that settle between them.

Rao and Ballard 1999; Bogacz 2017; Whittington and Bogacz 2017 (both ends clamped: supervised); Millidge et al. 2022.
On linear networks the equilibrium is known in closed form (Innocenti et al. 2024, here for any variances).
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from math import inf, log, pi
from typing import Any, NamedTuple, Self, final

import torch
from torch import Tensor, nn

from agentic import Encoder, Energy, LeastSquares, Real, UserError
from agentic_energies.arrays import side_by_side
from agentic_energies.network import ACTIVATIONS, Network


class _State(NamedTuple):
    """u_0, ..., u_n; what each passes on; and the errors that the energy squares, the prior's first."""

    layers: list[Tensor]
    active: list[Tensor]
    errors: list[Tensor]


@final
class PredictiveCoding(Energy, Encoder, LeastSquares):
    """The energy E(x, z) = sum_k |u_k - f_k(u_(k-1))|^2 / (2 s_k) in nats, over the layers u_0, ..., u_n of `network`.

    f_k(u) = W_k a(u) + b_k with the network's activation a (none on u_0), so that a forward pass through the network is
    the state without any error between layers. `variances` s_1..s_n, one for each or one for all. u_n is always given.

    With a `prior`, u_0 is a latent: |u_0|^2 / (2 prior) is added and `x` is u_n (*s, b, out): generative. With prior
    None, u_0 is given too, and `x` = (u_0, u_n): supervised. `z` (*s, b, d) holds the latent layers, in order, as one
    vector. With `learned_variances` these are weights that start where they are given. Without the constants that
    normalize it: those are `joint_log_normalizer()`. Raises UserError for variances that are not positive or too many,
    and for a network without a latent layer.
    """

    latent: Real

    def __init__(
        self,
        network: Network,
        variances: float | Sequence[float] = 1.0,
        *,
        prior: float | None = 1.0,
        learned_variances: bool = False,
    ) -> None:
        super().__init__()
        layers = len(network.sizes) - 1
        given = [float(variances)] * layers if isinstance(variances, int | float) else list(variances)
        scales = given if prior is None else [prior, *given]
        if len(given) != layers or not all(0 < scale < inf for scale in scales):
            raise UserError(f"expected {layers} variances > 0, one per layer of weights, and a prior > 0, got {scales}")
        self.network, self.supervised = network, prior is None
        self.sizes = network.sizes[1:-1] if self.supervised else network.sizes[:-1]
        if not self.sizes:
            raise UserError("predictive coding with both ends given needs a hidden layer, got none")
        self.latent = Real((sum(self.sizes),))
        self._given = tuple(float(scale) for scale in scales)
        start = torch.tensor(scales, dtype=torch.float64).log()  # read one by one: results keep the layers' dtype
        self.log_variances = nn.Parameter(start) if learned_variances else None

    @classmethod
    def example(cls) -> Self:
        """A generative chain of three layers, for the conformance kit."""
        return cls(Network((2, 3, 4), generator=torch.Generator().manual_seed(0)), [0.5, 2.0])

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Any, Tensor]:
        """Normal layers."""
        ends = [self.network.sizes[0], self.network.sizes[-1]] if self.supervised else [self.network.sizes[-1]]
        x = tuple(torch.randn(batch, size, generator=generator, dtype=torch.float64) for size in ends)
        return x if self.supervised else x[0], self.latent.draw(batch, generator=generator)

    @property
    def variances(self) -> tuple[Any, ...]:
        """The variances s_1 to s_n, the prior's before them: numbers, or where they are learned scalar tensors."""
        return self._given if self.log_variances is None else self.log_variances.exp().unbind()

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return torch.stack(torch.broadcast_tensors(*self.terms(x, z).values())).sum(0)

    def terms(self, x: Any, z: Tensor) -> Mapping[str, Tensor]:
        """The layers' errors in nats: `layer_1` to `layer_n`, and `prior` where u_0 is a latent."""
        errors = self._state(x, z).errors
        squares = [(error**2).sum(-1) / (2 * scale) for error, scale in zip(errors, self.variances, strict=True)]
        names = [f"layer_{k + 1}" for k in range(len(self.network.sizes) - 1)]
        names = names if self.supervised else ["prior", *names]
        return dict(zip(names, torch.broadcast_tensors(*squares), strict=True))

    def value_and_gradient(self, x: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        layers, active, errors = self._state(x, z)
        kind, stack, first = ACTIVATIONS[self.network.activation], self.network.stack(), 1 if self.supervised else 0
        weighted = [error / scale for error, scale in zip(errors, self.variances, strict=True)]
        squares = [(error * part).sum(-1) for error, part in zip(errors, weighted, strict=True)]
        slopes = []
        for k, (own, below) in enumerate(pairwise(weighted), first):
            fed_back = below @ stack[k][0]
            if k and kind.pull is not None:
                fed_back = kind.pull(fed_back, layers[k], active[k])
            slopes.append(own - fed_back)
        return 0.5 * torch.stack(torch.broadcast_tensors(*squares)).sum(0), torch.cat(slopes, -1)

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        """The Hessian (*s, b, d, d), block tridiagonal: a layer depends on its neighbors alone."""
        layers, active, errors = self._state(x, z)
        kind, stack, first = ACTIVATIONS[self.network.activation], self.network.stack(), 1 if self.supervised else 0
        total = torch.zeros(*z.shape, z.shape[-1], dtype=z.dtype, device=z.device)
        ends = [0, *accumulate(self.sizes)]
        blocks = [slice(start, end) for start, end in pairwise(ends)]
        for place, ((scale, below), own) in enumerate(zip(pairwise(self.variances), blocks, strict=True)):
            k = place + first
            block = torch.diag_embed(torch.ones_like(layers[k]) / scale)
            steep = stack[k][0]
            if k:
                steep = kind.slope(layers[k], active[k]).unsqueeze(-2) * steep
            if k and kind.bend is not None:
                pressed = errors[place + 1] @ stack[k][0] / below
                block = block - torch.diag_embed(kind.bend(layers[k], active[k]) * pressed)
            total[..., own, own] = block + steep.mT @ steep / below
            if own is not blocks[-1]:
                after = blocks[place + 1]
                total[..., after, own] = -steep / below
                total[..., own, after] = -steep.mT / below
        return total

    def joint_log_normalizer(self) -> Tensor:
        """The log of the integral of exp(-E) over z and u_n: E plus this is -log p(u_n, z | u_0), or -log p(u_n, z)."""
        sizes = self.network.sizes[1:] if self.supervised else self.network.sizes
        learned, count = self.log_variances, torch.tensor(sizes, dtype=torch.float64)
        logs = torch.tensor(self._given, dtype=torch.float64).log() if learned is None else learned
        return 0.5 * (sum(sizes) * log(2 * pi) + (logs * count.to(logs)).sum())

    def residuals(self, x: Any, z: Tensor) -> Tensor:
        """Every layer's error in units of its standard deviation, the prior's first."""
        errors = self._state(x, z).errors
        return side_by_side(*[error / scale**0.5 for error, scale in zip(errors, self.variances, strict=True)])

    def start(self, x: Any) -> Tensor:
        """The forward pass from u_0, or from the prior's mean: no error but at the given end; (*s, b, d)."""
        activate = ACTIVATIONS[self.network.activation].value
        first = x[0] if self.supervised else x.new_zeros(*x.shape[:-1], self.sizes[0])
        states = [first]
        for k in range(len(self.network.sizes) - 2):
            states.append(self.network.layer(k, activate(states[-1]) if k else first))
        return torch.cat(states[1:] if self.supervised else states, -1)

    def layers(self, x: Any, z: Tensor) -> list[Tensor]:
        """The layers u_0, ..., u_n, given and latent ones, each (*s, b, size)."""
        states = list(torch.split(z, list(self.sizes), -1))
        return [x[0], *states, x[1]] if self.supervised else [*states, x]

    def equilibrium(self, x: Any) -> Tensor:
        """The settled latents (*s, b, d) in closed form. Raises UserError where the network is not linear."""
        self._require_linear()
        origin = self.start(x)
        slope, hessian = self.gradient(x, origin), self.hessian(x, origin)
        step: Tensor = torch.linalg.solve(hessian, slope.unsqueeze(-1)).squeeze(-1)
        return origin - step

    def equilibrium_energy(self, x: Any) -> Tensor:
        """The minimum over z of E in closed form, (*s, b), without settling: r' S^-1 r / 2 with r = u_n - network(u_0).

        S = sum_k s_k P_k P_k' with P_k = W_n ... W_(k+1) the way from layer k to the given end; u_0 = 0 and s_0 the
        prior's variance where it is a latent. Raises UserError where the network is not linear.
        """
        self._require_linear()
        source, target = x if self.supervised else (x.new_zeros(*x.shape[:-1], self.sizes[0]), x)
        way = torch.eye(target.shape[-1], dtype=target.dtype, device=target.device)
        spread, weights = torch.zeros_like(way), list(self.network.weights)
        for scale in reversed(self.variances):
            spread = spread + scale * way @ way.T
            way = way @ weights.pop() if weights else way
        gap = target - self.network(source)
        energy: Tensor = 0.5 * (gap * torch.linalg.solve(spread, gap.unsqueeze(-1)).squeeze(-1)).sum(-1)
        return energy

    def _state(self, x: Any, z: Tensor) -> "_State":
        layers, kind = self.layers(x, z), ACTIVATIONS[self.network.activation]
        active = [layers[0], *map(kind.value, layers[1:-1])]
        errors = [layer - self.network.layer(k, active[k]) for k, layer in enumerate(layers[1:])]
        return _State(layers, active, errors if self.supervised else [layers[0], *errors])

    def _require_linear(self) -> None:
        if self.network.activation != "identity":
            raise UserError(
                f"the equilibrium is known in closed form for the activation 'identity', got "
                f"'{self.network.activation}': settle it with minimize"
            )
