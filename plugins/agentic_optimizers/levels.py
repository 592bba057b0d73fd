"""The levels of all plans of a finite model: prefixes of actions that lead to the same belief are one node.

Left then up is up then left, and waiting changes nothing: a square of 256 places has 780 prefixes of up to four moves,
which lead to 200 beliefs. Which these are does not depend on the belief they start from.
"""

from dataclasses import dataclass
from typing import NamedTuple, final
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from agentic import FiniteModel
from agentic_optimizers.alike import alike

PROBES = 8  # random beliefs that two prefixes must take to the same place to be one
LARGEST = 4_000_000  # numbers of a level: beyond it, prefixes are not compared


@final
@dataclass(frozen=True)
class Level:
    """One step of all plans: from the distinct nodes p before it, each action leads to one of k distinct nodes.

    `first` (k,) are the numbers of these among (actions * p), None where all are distinct; `kind` (actions * p,) the
    node each one leads to. `before` and `after` are the nodes of every prefix, the last action slowest.
    """

    first: Tensor | None
    kind: Tensor
    before: Tensor
    after: Tensor

    def distinct(self, ahead: Tensor) -> Tensor:
        """The distinct ones of the masses (n, actions * p, b)."""
        return ahead if self.first is None else ahead.index_select(1, self.first)

    def of_all(self, values: Tensor) -> Tensor:
        """Values (k, b) of the distinct nodes as those of all, (actions * p, b)."""
        return values if self.first is None else values.index_select(0, self.kind)

    def spread(self, values: Tensor, dim: int) -> Tensor:
        """Values of the nodes before, along `dim`, as those of all prefixes."""
        return values if len(self.before) == values.shape[dim] else values.index_select(dim, self.before)


class _Made(NamedTuple):
    """Levels, and where the model that they were made for took the probes."""

    levels: tuple[Level, ...]
    ahead: Tensor
    survival: Tensor | None

    def holds(self, horizon: int, ahead: Tensor, survival: Tensor | None) -> bool:
        """Whether they are those of a model that takes the probes there."""
        before, then = self.survival, self.ahead
        if (len(self.levels), then.dtype, then.device) != (horizon, ahead.dtype, ahead.device):
            return False
        same = before is survival if before is None or survival is None else before.equal(survival)
        return same and then.equal(ahead)


_MADE: "WeakKeyDictionary[nn.Module, _Made]" = WeakKeyDictionary()


def of_plans(model: FiniteModel, horizon: int, like: Tensor) -> tuple[Level, ...]:
    """The levels of all plans over the horizon, typed and placed as `like`; made anew where transitions changed."""
    draws = torch.Generator().manual_seed(0)
    probes = torch.rand(model.latent.count, PROBES, generator=draws, dtype=like.dtype).to(like.device)
    ahead, survival = model.transported(probes), model.survival()
    held = _MADE.get(model)
    if held is None or not held.holds(horizon, ahead, survival):
        kept = None if survival is None else survival.clone()
        held = _MADE[model] = _Made(_levels(model, horizon, probes, survival), ahead, kept)
    return held.levels


def _levels(model: FiniteModel, horizon: int, probes: Tensor, survival: Tensor | None) -> tuple[Level, ...]:
    states, actions = len(probes), model.action.count
    mass, levels = probes.unsqueeze(1), list[Level]()
    before = torch.zeros(1, dtype=torch.int64, device=mass.device)
    for _ in range(horizon):
        count, first = actions * mass.shape[1], None
        kind = torch.arange(count, device=mass.device)
        if states * count * PROBES <= LARGEST:
            ahead = model.transported(mass.flatten(1)).view(states, count, PROBES)
            found, kinds = alike(ahead.transpose(1, 2).flatten(0, 1))
            if len(found) < count:
                first, kind, ahead = found, kinds, ahead[:, found]
            mass = ahead if survival is None else ahead * survival.view(-1, 1, 1)
        else:
            mass = mass[:, :1].expand(-1, count, -1)  # too many to be looked at: all are held for distinct
        after = kind.view(actions, -1)[:, before].flatten()
        levels.append(Level(first, kind, before, after))
        before = after
    return tuple(levels)
