"""Beliefs that are products of factors, updated table by table: each looks at few factors, whose joint is small.

What a table tells is taken in exactly, and of the posterior the factors' marginals are kept: a projection, which
changes nothing where the posterior is a product too.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self, final

import torch
from torch import Tensor

from agentic.models import NEGLIGIBLE
from agentic_energies.cpt import Cpt

CERTAIN = 1e-14  # an outcome that misses certainty by less tells nothing


@final
class Product(NamedTuple):
    """Beliefs that are products: the factors' `blocks`, each (size, r), and the chance (r,) to come to each."""

    blocks: tuple[Tensor, ...]
    chance: Tensor

    def at(self, columns: Tensor) -> Self:
        """Some of the beliefs."""
        return self._replace(blocks=tuple(block[:, columns] for block in self.blocks), chance=self.chance[columns])

    def given(self, likelihood: Tensor, own: Sequence[int]) -> Self:
        """The beliefs given an event of a probability `likelihood` (sizes of the factors `own`, r or 1) in each state.

        Where the event is impossible the belief stays, with no chance.
        """
        joint = outer([self.blocks[f] for f in own]) * likelihood
        total = joint.sum(0)
        whole = joint.view(*[len(self.blocks[f]) for f in own], -1) / torch.where(total > 0, total, 1.0)
        blocks = list(self.blocks)
        for i, f in enumerate(own):
            others = [axis for axis in range(len(own)) if axis != i]
            blocks[f] = torch.where(total > 0, whole.sum(others) if others else whole, blocks[f])
        return self._replace(blocks=tuple(blocks), chance=self.chance * total)


def split(beliefs: Product, cpt: Cpt, own: Sequence[int]) -> tuple[Product, Tensor, Tensor]:
    """The beliefs after each outcome of one table over the factors `own` that is not negligible.

    With the outcomes, and the columns that they are of.
    """
    chances = cpt.push(outer([beliefs.blocks[f] for f in own]))
    outcome, column = (chances * beliefs.chance > NEGLIGIBLE).nonzero(as_tuple=True)
    open_ended = chances[outcome, column] < 1 - CERTAIN
    if not bool(open_ended.any()):
        return beliefs.at(column), outcome, column
    sure, known = column[~open_ended], outcome[~open_ended]
    outcome, column = outcome[open_ended], column[open_ended]
    told = beliefs.at(column).given(cpt.table[outcome].T, own)
    kept = beliefs.at(sure)
    blocks = tuple(torch.cat(pair, -1) for pair in zip(kept.blocks, told.blocks, strict=True))
    after = Product(blocks, torch.cat([kept.chance, told.chance]))
    return after, torch.cat([known, outcome]), torch.cat([sure, column])


def outer(blocks: Sequence[Tensor]) -> Tensor:
    """The joint probabilities (product of sizes, b) of independent ones (size, b), the last fastest."""
    first, *rest = blocks
    for block in rest:
        first = (first.unsqueeze(1) * block.unsqueeze(0)).flatten(0, 1)
    return first
