"""Open-loop planning by enumeration: every action sequence, imagined over the prefix tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import torch
from torch import Tensor

from agentic import ExpectedEnergy, FiniteModel, Iterate, Objective, Sequence, Simplex, UserError
from agentic_optimizers.folded import fold
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
        domain, horizon = f.model.action, f.purpose.horizon
        count = domain.count
        sequences = count**horizon
        if sequences > self.limit:
            raise UserError(
                f"enumerate would imagine {sequences} sequences ({count} actions, horizon {horizon}), more than "
                f"its limit of {self.limit}: shorten the horizon, or use tree or cem"
            )
        parts = _parts(f, domain)
        values = f.total(parts)
        index, actions = _sequences(domain, horizon, f.belief.mean.dtype)
        habits = f.model.log_habits
        prior = None if habits is None else habits[index].sum(-1, keepdim=True)
        plan = Sequence(actions, values, domain, parts, prior, f.model.version, kept=0)
        value, best = values.min(0)
        return Iterate(best, value, torch.zeros_like(value), sequences, plan)


@lru_cache(16)
def _sequences(domain: Simplex, horizon: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """All sequences as numbers of joint actions (k, T) and as actions (k, 1, T, event), the last action fastest."""
    corners = domain.corners(dtype)
    index = torch.cartesian_prod(*[torch.arange(len(corners))] * horizon).reshape(-1, horizon)
    return index, corners[index].unsqueeze(1)


def _parts(f: ExpectedEnergy, domain: Simplex) -> Mapping[str, Tensor]:
    """The parts of G of all sequences, each (sequences, b), by the folded form where there is one."""
    horizon, folded = f.purpose.horizon, fold(f)
    if folded is not None and isinstance(f.model, FiniteModel):
        return folded.plans(f.model, f.belief.mean.T)
    corners = domain.corners(f.belief.mean.dtype)
    parts = f.unroll([corners.reshape(len(corners), *[1] * (t + 1), -1) for t in range(horizon)])
    return {name: _in_order(part, domain.count, horizon) for name, part in parts.items()}


def _in_order(part: Tensor, actions: int, horizon: int) -> Tensor:
    """From sample axes (a_T, ..., a_1, b), some of them broadcast, to (sequences, b) with the last action fastest."""
    missing = horizon + 1 - part.dim()
    whole = part.reshape(*[1] * missing, *part.shape).expand(*[actions] * horizon, part.shape[-1])
    order = [*reversed(range(horizon)), horizon]
    return whole.permute(order).reshape(actions**horizon, part.shape[-1])
