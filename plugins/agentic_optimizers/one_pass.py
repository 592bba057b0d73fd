"""All plans of a small model in one pass: everything that is linear in the belief is one matrix, made once.

What is seen after every prefix of actions, and the linear parts of every plan, are rows of that matrix. What remains
per decision is one product, the entropies of what is seen, and their sums along the plans.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, final

import torch
from torch import Tensor

from agentic import FiniteModel

LARGEST = 200_000  # entries of the matrix: beyond it, prefixes are imagined level by level


@final
@dataclass(frozen=True)
class OnePass:
    """The parts of all plans as `matrix` (outcomes * prefixes + parts * plans, n), last actions fastest.

    `along` (plans, prefixes) weighs the entropies of a plan's prefixes, `entropies` how often each part counts them.
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
        matrix = torch.cat([torch.cat(seen, 1).flatten(0, 1), plans.reshape(-1, states)])
        return cls(names, entropies, matrix.contiguous(), last_fastest(torch.cat(along, 1), actions, horizon))

    def parts(self, mass: Tensor) -> Mapping[str, Tensor]:
        """The parts of G of every plan from beliefs (n, b), each (plans, b)."""
        plans, prefixes = self.along.shape
        found = self.matrix @ mass
        rows = len(self.names) * plans
        linear = list(found[-rows:].view(len(self.names), plans, -1).unbind())
        if any(self.entropies):
            seen = found[:-rows]
            surprise = seen.clamp_min(torch.finfo(seen.dtype).tiny).log_().mul_(seen)
            entropy = self.along @ surprise.view(-1, prefixes, mass.shape[-1]).sum(0)
            for i, times in enumerate(self.entropies):
                if times:
                    linear[i] = torch.sub(linear[i], entropy, alpha=times)
        return dict(zip(self.names, linear, strict=True))


def last_fastest(rows: Tensor, actions: int, horizon: int) -> Tensor:
    """Rows (a_T * ... * a_1, ...) of plans with the first action fastest, reordered so that the last one is."""
    shape = rows.shape[1:]
    order = [*reversed(range(horizon)), *range(horizon, horizon + len(shape))]
    return rows.reshape(*[actions] * horizon, *shape).permute(order).reshape(-1, *shape)
