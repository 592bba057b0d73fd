"""Many small networks as one, and the transition they make: a layer of all members is one batched matrix product."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Belief, Conditional
from agentic.engine import normal_like
from agentic_energies.folded_network import FoldedNetwork, Units
from agentic_energies.latent_layout import Layout
from agentic_energies.made import Made
from agentic_energies.ridge import ridge
from agentic_energies.units import CONSTANT


@final
class EnsembleNetwork(nn.Module):
    """`members` perceptrons of equal shape with SiLU between their layers: (members, n, inputs) to (.., outputs).

    Weights are drawn by `initialize`, normal with a standard deviation of 1 / sqrt(inputs of the layer).
    """

    def __init__(self, members: int, sizes: Sequence[int]) -> None:
        super().__init__()
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList([nn.Parameter(torch.zeros(members, a, b)) for a, b in pairs])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(members, 1, b)) for _, b in pairs])

    @torch.no_grad()
    def initialize(self, *, generator: torch.Generator) -> None:
        """Draw all weights afresh; biases are zero."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            weight.copy_(normal_like(weight, generator) / math.sqrt(weight.shape[1]))
            bias.zero_()

    @torch.no_grad()
    def fold_inputs(self, ratio: Tensor, offset: Tensor) -> None:
        """Change units of inputs in place: x ratio + offset takes the place of x, both (inputs,)."""
        first = self.weights[0]
        self.biases[0] += (offset @ first).unsqueeze(1)
        first *= ratio.unsqueeze(-1)

    @torch.no_grad()
    def fold_outputs(self, outputs: Tensor, added: Tensor) -> None:
        """Rescale the first k outputs in place: `outputs` (k,) multiplies them, `added` ((members,) k) is added."""
        last, k = self.weights[-1], len(outputs)
        last[..., :k] *= outputs
        self.biases[-1][..., :k] *= outputs
        self.biases[-1][..., :k] += added

    def forward(self, x: Tensor, outputs: int | None = None) -> Tensor:
        """The members' outputs (members, n, outputs), all or the first `outputs` of them."""
        *hidden, (last, offset) = zip(self.weights, self.biases, strict=True)
        for weight, bias in hidden:
            x = nn.functional.silu(torch.baddbmm(bias, x, weight), inplace=not torch.is_grad_enabled())
        # Few columns are slow to multiply with: the last layer is taken from the other side.
        columns = last[..., :outputs].transpose(1, 2) @ x.transpose(1, 2)
        answers: Tensor = columns.transpose(1, 2) + offset[..., :outputs]
        return answers


@final
@dataclass(frozen=True)
class Mixture(Belief):
    """Equally weighted Gaussians with diagonal covariances: `means` and `variances` (members, *s, b, d)."""

    means: Tensor
    variances: Tensor

    @property
    def mean(self) -> Tensor:
        return self.means.mean(0)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        shape = (n, *self.means.shape[1:])
        device = self.means.device
        member = torch.randint(len(self.means), shape[:-1], generator=generator).to(device).unsqueeze(-1).expand(shape)
        means, variances = self.means.gather(0, member), self.variances.gather(0, member)
        return means + variances.sqrt() * normal_like(means, generator)

    def where(self, mask: Tensor, other: Self) -> Self:
        rows = mask.unsqueeze(-1)
        means = torch.where(rows, self.means, other.means)
        return type(self)(means, torch.where(rows, self.variances, other.variances))

    def energy(self, z: Tensor) -> Tensor:
        """The energy -log q(z) at `z` (*s, b, d), in nats."""
        samples = [1] * (z.dim() + 1 - self.means.dim())
        means, variances = (part.view(len(part), *samples, *part.shape[1:]) for part in (self.means, self.variances))
        gap = (z - means).square() / variances + variances.log() + math.log(2 * math.pi)
        return math.log(len(self.means)) - torch.logsumexp(-0.5 * gap.sum(-1), 0)


@final
class EnsembleTransition(Conditional):
    """-log p(z' | z, a), the even mixture of the members' Gaussians: `forward((z, a), z')`, nats.

    How the observation differs from the one before is a linear map of (z, a), the same for all, plus what member k
    adds (a network and a linear map of its own), in units of what the shared map leaves unexplained, with a log
    variance of that. What lies outside `low` to `high`, the space of observations, is moved to its edge; where that has
    none, and for rewards, to one that experience gives: no farther from what was seen than that was wide, and no reward
    beyond those paid. What a latent remembers moves on as it is; no variance is below `floor` (size of a latent).
    """

    SPREAD = (1e-3, 10.0)  # bounds of a member's noise, standard deviations in units of what is left

    def __init__(
        self, members: int, hidden: Sequence[int], layout: Layout, low: Tensor, high: Tensor, linear: bool = True
    ) -> None:
        super().__init__()
        self.members, self.layout, self.has_linear = members, layout, linear
        seen = layout.state + layout.action
        self.network = EnsembleNetwork(members, [seen, *hidden, 2 * layout.learned])
        self.center, self.scale = nn.Buffer(torch.zeros(seen)), nn.Buffer(torch.ones(seen))
        self.space_low, self.space_high = nn.Buffer(low), nn.Buffer(high)
        endless = torch.full((int(layout.reward),), math.inf)
        self.low, self.high = nn.Buffer(torch.cat([low, -endless])), nn.Buffer(torch.cat([high, endless]))
        self.shift = nn.Buffer(torch.zeros(layout.learned))
        self.step = nn.Buffer(torch.full((layout.learned,), 0.1))
        self.linear = nn.Buffer(torch.zeros(seen, layout.learned))
        self.own_linear = nn.Parameter(torch.zeros(members, seen, layout.learned), requires_grad=linear)
        self.taught = nn.Buffer(torch.tensor(False))
        self._kept: Made | None = None
        self.floor = nn.Buffer(torch.full((layout.size,), 1e-6))

    @torch.no_grad()
    def rescale(self, z: Tensor, action: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
        """Take scales and the linear part from experience: latents (n, d), actions (n, a), differences (n, learned).

        What was learned before stays as it is: the members take up what the scales and the shared map change, so that
        every mean is predicted as before. Returns the inputs and what is left of the differences, as the networks are
        to see them.
        """
        inputs, before = self.layout.inputs(z, action), self._units()
        for center, scale, values in ((self.center, self.scale, inputs), (self.shift, self.step, change)):
            center.copy_(values.mean(0))
            spread = values.std(0, correction=0)
            scale.copy_(torch.where(spread > CONSTANT * (1 + center.abs()), spread, 1.0))
        self._limit(z, change)
        x = self.normalized(z, action)
        if self.has_linear:
            self.linear.copy_(ridge(x, change - self.shift))
        left = change - self.shift - x @ self.linear
        self.step.copy_(left.std(0, correction=0).maximum(1e-2 * self.step).clamp(min=1e-6))
        if self.taught:
            self._fold(*before)
        self.taught.fill_(True)
        return x, left / self.step

    def _limit(self, z: Tensor, change: Tensor) -> None:
        """Take from experience how far observations go that have no bounds, and rewards."""
        d = self.layout.obs
        seen = torch.cat([z[:, :d], z[:, :d] + change[:, :d]])
        low, high = seen.amin(0), seen.amax(0)
        low, high = low - (high - low) - 1e-3, high + (high - low) + 1e-3
        self.low[:d] = torch.where(self.space_low.isfinite(), self.space_low, low)
        self.high[:d] = torch.where(self.space_high.isfinite(), self.space_high, high)
        if self.layout.reward:
            self.low[d:], self.high[d:] = change[:, d:].amin(0), change[:, d:].amax(0)

    def _units(self) -> tuple[Tensor, ...]:
        return tuple(part.clone() for part in (self.center, self.scale, self.shift, self.step, self.linear))

    def _fold(self, center: Tensor, scale: Tensor, shift: Tensor, step: Tensor, linear: Tensor) -> None:
        """Let the members take up what changed since these units, exactly; their variances stay as shares of `step`."""
        ratio, offset = self.scale / scale, (self.center - center) / scale
        whole = linear + step * self.own_linear  # what each member's straight line was
        added = (shift - self.shift + offset @ whole) / self.step
        self.network.fold_inputs(ratio, offset)
        self.network.fold_outputs(step / self.step, added.unsqueeze(1))
        if self.has_linear:
            self.own_linear.copy_((ratio.unsqueeze(-1) * whole - self.linear) / self.step)

    def normalized(self, z: Tensor, action: Tensor) -> Tensor:
        """The networks' normalized inputs from z (..., d) and actions (..., a) with axes that broadcast."""
        return (self.layout.inputs(z, action) - self.center) / self.scale

    def answers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Every member's scaled difference and its log variance at normalized inputs (members, n, inputs)."""
        mean, spread = self.network(x).chunk(2, -1)
        mean = self._straightened(mean, x)
        low, high = (2 * math.log(bound) for bound in self.SPREAD)
        begin = math.log(-low / high)  # where the bounded log variance is 0
        return mean, low + (high - low) * torch.sigmoid(spread + begin)

    def shared(self, z: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Means and variances of z' by every member, (members, *s, b, d), of one z (*s, b, d) for all."""
        x = self.normalized(z, action)
        x = x.expand(self.members, *x.shape)
        mean, log_variance = self.answers(x.reshape(self.members, -1, x.shape[-1]))
        moved = self._after(z, action, x, mean.reshape(*x.shape[:-1], -1))
        variance = (self.step.square() * log_variance.exp()).reshape(*x.shape[:-1], -1)
        kept = variance.new_zeros((*variance.shape[:-1], self.layout.past))
        d = self.layout.obs
        return moved, torch.cat([variance[..., :d], kept, variance[..., d:]], -1).maximum(self.floor)

    def own(self, z: Tensor, action: Tensor) -> Tensor:
        """The mean of z' by member k of its own z (members, *s, b, d)."""
        x = self.normalized(z, action)
        flat = x.reshape(self.members, -1, x.shape[-1])
        mean = self._straightened(self.network(flat, self.layout.learned), flat)
        return self._after(z, action, x, mean.reshape(*x.shape[:-1], -1))

    def _straightened(self, mean: Tensor, x: Tensor) -> Tensor:
        """What the networks say at inputs `x` (members, n, inputs), with the members' straight lines."""
        return torch.baddbmm(mean, x, self.own_linear) if self.has_linear else mean

    def _folded(self) -> FoldedNetwork:
        """The network with its units folded in, made anew where a weight or a unit was written to or replaced."""
        parts = [*self.parameters(), *self.buffers()]
        if self._kept is None or torch.is_grad_enabled() or not self._kept.stands(parts):
            units = Units(self.center, self.scale, self.shift, self.step, self.low, self.high)
            line = self.linear + self.step * self.own_linear
            self._kept = Made.of(parts, FoldedNetwork(self.network, units, line, self.layout))
        folded: FoldedNetwork = self._kept.what
        return folded

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}

    def course(self, z: Tensor, actions: Tensor) -> Tensor:
        """The means (members, T, *s, b, d) of `own` after each of `actions` (T, *s, b, *event), from z."""
        lanes, d = actions.shape[1:-1], self.layout.size
        z = z.to(self.center.dtype).expand(self.members, *lanes, d).reshape(self.members, -1, d)
        after = self._folded().course(z, actions.to(z.dtype).reshape(len(actions), -1, actions.shape[-1]))
        return after.view(self.members, len(actions), *lanes, d)

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        return self.given(x).energy(z)

    def given(self, x: tuple[Tensor, Tensor]) -> Mixture:
        return Mixture(*self.shared(*x))

    def _after(self, z: Tensor, action: Tensor, x: Tensor, scaled: Tensor) -> Tensor:
        change = torch.addcmul(self.shift + x @ self.linear, self.step, scaled)
        return self.layout.moved(z, action, change, self.low, self.high)
