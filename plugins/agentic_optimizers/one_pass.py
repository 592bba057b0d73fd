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
ALONG = 1_000_000  # the same of the weights along the plans


@final
@dataclass(frozen=True)
class OnePass:
    """The parts of all plans as `matrix` (outcomes * shown + parts * plans, n), last actions fastest.

    The first rows are what is seen: `along` (plans, shown) weighs their surprises, of `outcomes` of them together, and
    `entropies` are how often each part counts that.
    """

    names: tuple[str, ...]
    entropies: tuple[float, ...]
    matrix: Tensor
    along: Tensor
    outcomes: int

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
        parts, seen = linear.new_zeros(len(names), states), list[Tensor]()
        for t, weight in enumerate(weights):
            step = weight * (linear @ mass).view(len(names), actions, -1)
            parts = (step + parts.unsqueeze(1)).flatten(1)
            mass = model.transported(mass).reshape(states, -1)
            seen.append(model.seen(mass).view(-1, actions ** (t + 1), states))
        plans = last_fastest(parts.view(len(names), -1, states).movedim(1, 0), actions, horizon).movedim(0, 1)
        shown, kind = _distinct(torch.cat(seen, 1), LARGEST // actions**horizon)
        if actions**horizon * shown.shape[1] > ALONG:
            return None
        along = linear.new_zeros(actions**horizon, shown.shape[1])
        _add_weights(along, kind, actions, weights)
        matrix = torch.cat([shown.flatten(0, 1), plans.reshape(-1, states)])
        return cls(names, entropies, matrix, last_fastest(along, actions, horizon), len(shown))

    def parts(self, mass: Tensor) -> Mapping[str, Tensor]:
        """The parts of G of every plan from beliefs (n, b), each (plans, b)."""
        plans, shown = self.along.shape
        seen, *linear = (self.matrix @ mass).split_with_sizes([self.outcomes * shown] + [plans] * len(self.names))
        if any(self.entropies):
            surprise = seen.clamp_min(torch.finfo(seen.dtype).tiny).log_().mul_(seen)
            if self.outcomes > 1:
                surprise = surprise.view(self.outcomes, shown, -1).sum(0)
            for i, times in enumerate(self.entropies):
                if times:
                    linear[i] = torch.addmm(linear[i], self.along, surprise, alpha=-times)
        return dict(zip(self.names, linear, strict=True))


def _distinct(seen: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """The distinct ones of `seen` (outcomes, prefixes, n), and which one each is, (outcomes, prefixes).

    Each outcome is taken by itself, (1, shown, n), or where more than `most` are distinct all of a prefix together,
    (outcomes, shown, n).
    """
    first, kind = alike(seen.flatten(0, 1).T)
    if len(first) <= most:
        return seen.flatten(0, 1)[first].unsqueeze(0), kind.view(len(seen), -1)
    first, kind = alike(seen.transpose(1, 2).flatten(0, 1))
    return seen[:, first], kind.unsqueeze(0)


def _add_weights(along: Tensor, kind: Tensor, actions: int, weights: list[float]) -> None:
    """Add every step's weight to what is shown there, `kind`; `along` (plans, shown) has the first action fastest."""
    plan, before = torch.arange(len(along), device=along.device), 0
    for t, weight in enumerate(weights):
        count = actions ** (t + 1)
        rows = kind[:, before + plan % count].T
        along.scatter_add_(1, rows, along.new_full(rows.shape, weight))
        before += count


def last_fastest(rows: Tensor, actions: int, horizon: int) -> Tensor:
    """Rows (a_T * ... * a_1, ...) of plans with the first action fastest, reordered so that the last one is."""
    shape = rows.shape[1:]
    order = [*reversed(range(horizon)), *range(horizon, horizon + len(shape))]
    return rows.reshape(*[actions] * horizon, *shape).permute(order).reshape(-1, *shape)
