"""The belief about two successive states of one row, given what was seen after the second."""

from typing import NamedTuple

import torch
from torch import Tensor

from agentic_energies.cpt import Cpt

LEAST = 1e-14  # states less likely than this are left out


class Pair(NamedTuple):
    """q(z, z'), (n, m), over every next state and the m states `held` that the row may have been in."""

    held: Tensor
    joint: Tensor

    @property
    def after(self) -> Tensor:
        """q(z') of the next states, (n,)."""
        return self.joint.sum(1)

    def apart(self) -> Tensor:
        """The product of the marginals, (n, m)."""
        return self.joint.sum(1, keepdim=True) * self.joint.sum(0)


def pair_belief(before: Tensor, columns: Tensor, transition: Cpt, likely: Tensor) -> Pair | None:
    """q(z, z') proportional to q(z) p(z' | z, a) L(z'), exactly.

    `before` (n,) is q(z), `columns` (n,) the table's column of each state under the action, `likely` (n,) the
    likelihood L of what followed, up to a factor. None where the model holds that impossible.
    """
    held = (before > LEAST).nonzero().squeeze(-1)
    moved = transition.spread(columns[held]).table
    joint = moved * before[held] * likely.unsqueeze(-1)
    total = joint.sum()
    return Pair(held, joint / total) if bool(total > 0) else None


def likelihood(costs: Tensor) -> Tensor:
    """exp(-costs) (n,) up to a factor, the negligible exactly zero; zeros where all is impossible."""
    least = costs.min()
    if not bool(torch.isfinite(least)):
        return torch.zeros_like(costs)
    weights = (least - costs).exp()
    return torch.where(weights > LEAST, weights, 0.0)
