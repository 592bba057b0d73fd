"""All plans of a small model in one pass: everything that is linear in the belief is one matrix, made once.

What may be seen after the prefixes of actions, and the linear parts of every plan, are rows of that matrix. What
remains per decision is one product, the logarithms of what may be seen, and their sums along the plans. An outcome that
is as likely after one prefix as another outcome after another, whatever the belief, is one row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, final

import torch
from torch import Tensor

from agentic import FiniteModel
from agentic_optimizers.alike import alike

LARGEST = 200_000  # entries of the matrix: beyond it, prefixes are imagined level by level


@final
@dataclass(frozen=True)
class OnePass:
    """The parts of all plans as `matrix` (rows + parts * plans, n), last actions fastest; the first rows are seen.

    `along` (plans, rows) weighs the surprises of what a plan may show, `entropies` how often each part counts them.
    """

    names: tuple[str, ...]
    entropies: tuple[float, ...]
    matrix: Tensor
    along: Tensor

    @classmethod
    def of(
        cls,
        model: FiniteModel,
        names: tuple[str, ...],
        linear: Tensor,
        entropies: tuple[float, ...],
        weights: list[float],
    ) -> Self | None:
        """From the `linear` rows (parts * actions, n) of one step, and the weight of every step; None if too large."""
        states, actions, horizon = linear.shape[-1], len(linear) // len(names), len(weights)
        prefixes = sum(actions ** (t + 1) for t in range(horizon))
        if states * (sum(model.outcome.sizes) * prefixes + len(names) * actions**horizon) > LARGEST:
            return None
        mass = torch.eye(states, dtype=linear.dtype, device=linear.device)
        parts, seen, along = linear.new_zeros(len(names), states), list[Tensor](), list[Tensor]()
        for t, weight in enumerate(weights):
            step = weight * (linear @ mass).view(len(names), actions, -1)
            parts = (step + parts.unsqueeze(1)).flatten(1)
            mass = model.transported(mass).reshape(states, -1)
            seen.append(model.seen(mass).view(-1, actions ** (t + 1), states))
            own = torch.eye(actions ** (t + 1), dtype=linear.dtype, device=linear.device)
            along.append(weight * own.repeat(actions ** (horizon - t - 1), 1))
        plans = last_fastest(parts.view(len(names), -1, states).movedim(1, 0), actions, horizon).movedim(0, 1)
        rows, weighed = _merged(torch.cat(seen, 1), last_fastest(torch.cat(along, 1), actions, horizon))
        return cls(names, entropies, torch.cat([rows, plans.reshape(-1, states)]), weighed)

    def parts(self, mass: Tensor) -> Mapping[str, Tensor]:
        """The parts of G of every plan from beliefs (n, b), each (plans, b)."""
        plans, rows = self.along.shape
        seen, *linear = (self.matrix @ mass).split_with_sizes([rows] + [plans] * len(self.names))
        if any(self.entropies):
            surprise = seen.clamp_min(torch.finfo(seen.dtype).tiny).log_().mul_(seen)
            for part, times in zip(linear, self.entropies, strict=True):
                if times:
                    part.addmm_(self.along, surprise, alpha=-times)
        return dict(zip(self.names, linear, strict=True))


def _merged(seen: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    """The distinct rows of `seen` (outcomes, prefixes, n) that may be seen, and their weights (plans, rows)."""
    rows, weights = seen.flatten(0, 1), along.repeat(1, len(seen))
    possible = rows.any(-1)
    rows, weights = rows[possible], weights[:, possible]
    first, kind = alike(rows.T)
    return rows[first], weights.new_zeros(len(along), len(first)).index_add_(1, kind, weights)


def last_fastest(rows: Tensor, actions: int, horizon: int) -> Tensor:
    """Rows (a_T * ... * a_1, ...) of plans with the first action fastest, reordered so that the last one is."""
    shape = rows.shape[1:]
    order = [*reversed(range(horizon)), *range(horizon, horizon + len(shape))]
    return rows.reshape(*[actions] * horizon, *shape).permute(order).reshape(-1, *shape)
