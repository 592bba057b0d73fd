"""Open-loop planning by enumeration: every action sequence, imagined over the prefix tree."""

from dataclasses import dataclass
from math import inf
from typing import Any, final

import torch
from torch import Tensor

from agentic import ExpectedEnergy, Iterate, Objective, Sequence, Simplex, UserError
from agentic_optimizers.planned import Planned


@final
@dataclass(frozen=True)
class Enumerate(Planned):
    """All sequences of discrete actions over the horizon, weighed later by the selection's precision.

    Every prefix is imagined once: a^t beliefs at step t. Raises UserError for more than `limit` sequences, with how
    many it would need, and for anything but an expected energy of discrete actions.
    """

    limit: int = 100_000
    steps: int = 1

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f, ExpectedEnergy) or not isinstance(f.model.action, Simplex):
            raise UserError(f"enumerate needs the expected energy of discrete actions, got {type(f).__name__}")
        corners = f.model.action.corners()
        horizon, sequences = f.purpose.horizon, len(corners) ** f.purpose.horizon
        if sequences > self.limit:
            raise UserError(
                f"enumerate would imagine {sequences} sequences ({len(corners)} actions, horizon {horizon}), more than "
                f"its limit of {self.limit}: shorten the horizon, or use tree or cem"
            )
        steps = [corners.reshape(len(corners), *[1] * (t + 1), -1) for t in range(horizon)]
        parts = {name: _in_order(part, len(corners), horizon) for name, part in f.unroll(steps).items()}
        values = f.total(parts)
        index = torch.cartesian_prod(*[torch.arange(len(corners))] * horizon).reshape(-1, horizon)
        habits = f.model.log_habits
        prior = None if habits is None else habits[index].sum(-1, keepdim=True)
        plan = Sequence(corners[index].unsqueeze(1), values, f.model.action, parts, prior, f.model.version)
        allowed = values if prior is None else values.masked_fill(torch.isneginf(prior), inf)
        return Iterate(allowed.argmin(0), allowed.amin(0), torch.zeros_like(values[0]), sequences, plan)


def _in_order(part: Tensor, actions: int, horizon: int) -> Tensor:
    """From sample axes (a_T, ..., a_1, b), some of them broadcast, to (sequences, b) with the last action fastest."""
    missing = horizon + 1 - part.dim()
    whole = part.reshape(*[1] * missing, *part.shape).expand(*[actions] * horizon, part.shape[-1])
    order = [*reversed(range(horizon)), horizon]
    return whole.permute(order).reshape(actions**horizon, part.shape[-1])
