"""Open-loop planning by enumeration: every action sequence, imagined over the prefix tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf, prod
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from agentic import ExpectedEnergy, FiniteModel, Iterate, Objective, Sequence, Simplex, UserError
from agentic_optimizers.folded import fold
from agentic_optimizers.one_pass import last_fastest
from agentic_optimizers.planned import Planned

Plans = tuple[tuple[int, ...], ...] | tuple[tuple[tuple[int, ...], ...], ...]


@final
@dataclass(frozen=True)
class Enumerate(Planned):
    """All sequences of discrete actions over the horizon, weighed later by the selection's precision.

    Every prefix is imagined once: a^t beliefs at step t. `plans` (plans, T) or (plans, T, controls) are numbers of
    actions, to weigh these courses and no others; `E` (plans,) is a prior over the plans beside the model's habits.
    Raises UserError for more than `limit` sequences, with how many it would need, and for anything but an expected
    energy of discrete actions.
    """

    limit: int = 100_000
    steps: int = 1
    plans: Plans | None = None
    E: tuple[float, ...] | None = None

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f, ExpectedEnergy) or not isinstance(f.model.action, Simplex):
            raise UserError(f"enumerate needs the expected energy of discrete actions, got {type(f).__name__}")
        index, actions, parts = self._listed(f, f.model.action) if self.plans is not None else self._all(f)
        values = f.total(parts)
        prior = self._prior(f, index)
        plan = Sequence(actions, values, f.model.action, parts, prior, f.model.version, kept=0)
        allowed = values if prior is None else values.masked_fill(torch.isneginf(prior), inf)
        value = allowed.amin(0)
        return Iterate(plan, value, torch.zeros_like(value), len(index), plan)

    def _all(self, f: ExpectedEnergy) -> tuple[Tensor, Tensor, Mapping[str, Tensor]]:
        """All sequences: joint actions (k, T), actions (k, 1, T, event) and parts of G, each (k, b)."""
        domain, horizon = f.model.action, f.purpose.horizon
        assert isinstance(domain, Simplex)
        count = domain.count
        sequences = count**horizon
        if sequences > self.limit:
            shown = sequences if horizon < 1000 else f"{count}^{horizon}"
            raise UserError(
                f"enumerate would imagine {shown} sequences ({count} actions, horizon {horizon}), more than "
                f"its limit of {self.limit}: shorten the horizon, list plans, or use tree or cem"
            )
        return *_sequences(domain, horizon, f.belief.mean.dtype), _parts(f, domain)

    def _listed(self, f: ExpectedEnergy, domain: Simplex) -> tuple[Tensor, Tensor, Mapping[str, Tensor]]:
        """The same of the plans that are listed."""
        chosen, sizes = _read(self.plans, f.purpose.horizon, domain.sizes), domain.sizes
        actions = domain.one_hot(chosen, f.belief.mean.dtype).unsqueeze(1)
        strides = torch.tensor([prod(sizes[i + 1 :]) for i in range(len(sizes))])
        shape = (len(chosen), f.belief.mean.shape[0])
        parts = {name: part.expand(shape) for name, part in f.terms(actions).items()}
        return (chosen * strides).sum(-1), actions, parts

    def _prior(self, f: ExpectedEnergy, index: Tensor) -> Tensor | None:
        """ln of the prior over plans (k, 1): habits of every action, and E."""
        habits = f.model.log_habits
        prior = None if habits is None else habits[index].sum(-1, keepdim=True)
        if self.E is None:
            return prior
        try:
            own = torch.as_tensor(np.asarray(self.E, np.float64), dtype=f.belief.mean.dtype)
        except (TypeError, ValueError) as error:
            raise UserError(f"E expects a probability for each of {len(index)} plans ({error})") from None
        if own.shape != index.shape[:1]:
            raise UserError(f"E expects a probability for each of {len(index)} plans, got shape {tuple(own.shape)}")
        if not bool((own.isfinite() & (own >= 0)).all()) or not bool(own.any()):
            raise UserError(f"E expects a probability for each of {len(index)} plans, finite, >= 0 and not all zero")
        return own.log().unsqueeze(-1) + (0 if prior is None else prior)


def _read(plans: Any, horizon: int, sizes: tuple[int, ...]) -> Tensor:
    """Listed plans as numbers of every control, (k, T, controls). Raises UserError for what is no such list."""
    try:
        given = torch.as_tensor(np.asarray(plans))
    except (TypeError, ValueError):
        raise UserError(f"plans expects lists of {horizon} numbers of actions, all of the same length") from None
    chosen = given.unsqueeze(-1) if given.dim() == 2 and len(sizes) == 1 else given
    if chosen.dim() != 3 or chosen.shape[1:] != (horizon, len(sizes)) or not len(chosen):
        wanted = f"(plans, {horizon})" if len(sizes) == 1 else f"(plans, {horizon}, {len(sizes)})"
        raise UserError(f"plans expects numbers of actions {wanted} = (plans, horizon), got {tuple(given.shape)}")
    if chosen.is_floating_point() or bool(((chosen < 0) | (chosen >= torch.tensor(sizes))).any()):
        raise UserError(f"plans expects whole numbers of actions from 0 and below {list(sizes)}, got others")
    return chosen


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
    return last_fastest(whole.reshape(actions**horizon, part.shape[-1]), actions, horizon)
