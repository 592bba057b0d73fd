"""Beliefs that are products of factors, updated table by table: each looks at few factors, whose joint is small.

What a table tells is taken in exactly, and of the posterior the factors' marginals are kept: a projection, which
changes nothing where the posterior is a product too.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Self, final

import torch
from torch import Tensor

from agentic.engine import outer
from agentic.models import NEGLIGIBLE
from agentic_energies.branching import check_held
from agentic_energies.cpt import Cpt

CERTAIN = 1e-14  # an outcome that misses certainty by less tells nothing


@final
class Product(NamedTuple):
    """Beliefs that are products: the factors' probabilities `mass` (sum of sizes, r), and the chance (r,) of each."""

    mass: Tensor
    chance: Tensor
    sizes: tuple[int, ...]

    def joint(self, own: Sequence[int]) -> Tensor:
        """The joint probabilities of the factors `own`, (product of sizes, r), the last fastest; of none, 1."""
        if not own:
            return torch.ones_like(self.mass[:1])
        return outer([self.mass[place].T for place in self._places(own)]).T

    def at(self, columns: Tensor) -> Self:
        """Some of the beliefs."""
        return self._replace(mass=self.mass[:, columns], chance=self.chance[columns])

    def given(self, likelihood: Tensor, own: Sequence[int]) -> Self:
        """The beliefs given an event of a probability `likelihood` (sizes of the factors `own`, r or 1) in each state.

        Where the event is impossible the belief stays, with no chance.
        """
        joint = self.joint(own) * likelihood
        total = joint.sum(0)
        whole = joint.view(*[self.sizes[f] for f in own], -1) / torch.where(total > 0, total, 1.0)
        mass = self.mass.clone()
        for i, place in enumerate(self._places(own)):
            others = [axis for axis in range(len(own)) if axis != i]
            mass[place] = torch.where(total > 0, whole.sum(others) if others else whole, mass[place])
        return self._replace(mass=mass, chance=self.chance * total)

    def _places(self, own: Sequence[int]) -> list[slice]:
        ends = list(accumulate(self.sizes))
        return [slice(ends[f] - self.sizes[f], ends[f]) for f in own]


def split(beliefs: Product, cpt: Cpt, own: Sequence[int]) -> tuple[Product, Tensor, Tensor]:
    """The beliefs after each outcome of one table over the factors `own` that is not negligible.

    With the outcomes, and the columns that they are of.
    """
    chances = cpt.push(beliefs.joint(own))
    best, top = chances.max(0)
    sure = best > 1 - CERTAIN
    if bool(sure.all()):
        return beliefs, top, torch.arange(len(top), device=top.device)
    known, asked = sure.nonzero()[:, 0], (~sure).nonzero()[:, 0]
    outcome, place = (chances[:, asked] * beliefs.chance[asked] > NEGLIGIBLE).nonzero(as_tuple=True)
    column = asked[place]
    check_held((len(known) + len(column)) * len(beliefs.mass))
    kept, updated = beliefs.at(known), beliefs.at(column).given(cpt.table[outcome].T, own)
    after = kept._replace(
        mass=torch.cat([kept.mass, updated.mass], -1), chance=torch.cat([kept.chance, updated.chance])
    )
    return after, torch.cat([top[known], outcome]), torch.cat([known, column])
