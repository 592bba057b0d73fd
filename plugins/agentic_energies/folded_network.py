"""An ensemble's means over many steps: all that does not change from step to step is taken out of the loop."""

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad, silu

from agentic_energies.latent_layout import Layout

if TYPE_CHECKING:
    from agentic_energies.ensemble_network import EnsembleNetwork


class Units(NamedTuple):
    """Units of the inputs (center and scale), of what is predicted (shift and step), and its bounds."""

    center: Tensor
    scale: Tensor
    shift: Tensor
    step: Tensor
    low: Tensor
    high: Tensor


class FoldedNetwork:
    """The members' means with their units folded into the weights, for many steps of latents of their own.

    `line` (members, inputs, learned) are their straight lines, in units of what is predicted by scaled inputs. What
    actions add to the first layer and to the line is computed for all steps at once; where a latent is what is observed
    and no more the line also takes the latent on.
    """

    def __init__(self, network: "EnsembleNetwork", units: Units, line: Tensor, layout: Layout) -> None:
        k, at = layout.learned, layout.state
        *hidden, (last, offset) = zip(network.weights, network.biases, strict=True)
        (first, bias), *self._others = hidden
        scale, members = units.scale.unsqueeze(-1), len(last)
        line = (line / scale).expand(members, -1, -1)
        first = first / scale
        entering = torch.cat([first, line], -1)  # what inputs add to the first layer, and to the change itself
        constant = torch.cat([bias, units.shift + units.step * offset[..., :k]], -1)
        self._constant = torch.baddbmm(constant, -units.center.expand(members, 1, -1), entering)
        self._last = (units.step * last[..., :k]).transpose(1, 2).contiguous()
        self._by_latent, self._by_action = entering[:, :at], entering[:, at:]
        self._layout, self._low, self._high, self._width = layout, units.low, units.high, first.shape[-1]
        self._plain = layout.size == layout.obs
        if self._plain:
            self._by_latent = self._by_latent + pad(torch.eye(at).to(first), (self._width, 0))

    def course(self, z: Tensor, actions: Tensor) -> Tensor:
        """The latents (members, T, n, size) after each of `actions` (T, n, k), from z (members, n, size)."""
        members, steps = len(z), list[Tensor]()
        added = actions.reshape(1, -1, actions.shape[-1]).expand(members, -1, -1)
        by_action = torch.baddbmm(self._constant, added, self._by_action).view(members, *actions.shape[:-1], -1)
        for action, entering in zip(actions.unbind(), by_action.unbind(1), strict=True):
            z = self._step(z, action, entering)
            steps.append(z)
        return torch.stack(steps, 1)

    def _step(self, z: Tensor, action: Tensor, by_action: Tensor) -> Tensor:
        entered = torch.baddbmm(by_action, z if self._plain else self._layout.seen(z), self._by_latent)
        x, line = entered.tensor_split((self._width,), -1)
        x = silu(x)
        for weight, bias in self._others:
            x = silu(torch.baddbmm(bias, x, weight), inplace=True)
        # Few columns are slow to multiply with: the last layer is taken from the other side.
        change = line + torch.bmm(self._last, x.transpose(1, 2)).transpose(1, 2)
        if self._plain:
            return torch.clamp(change, self._low, self._high)
        return self._layout.moved(z, action, change, self._low, self._high)
