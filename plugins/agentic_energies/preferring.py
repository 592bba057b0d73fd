"""A goal that an agent learns itself: to see what it has come to expect to see (Sajid, Tigas and Friston 2022)."""

from abc import ABC, abstractmethod
from math import inf
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic import Categorical, Goal, Model, Step, UserError
from agentic_energies.arrays import finite
from agentic_energies.goals import POSSIBLE


class Preferring(ABC):
    """A model that may count what is observed, as a belief about what is preferred."""

    @abstractmethod
    def outcome_counts(self) -> list[Tensor] | None:
        """The Dirichlet counts of the levels of every modality, each (levels,); None where they are not learned."""


@final
class LearnedPreferences(Goal):
    """The energy -C[o], summed over modalities, of log preferences C that the model learns by counting observations.

    C = ln softmax(E[ln p]) with p ~ Dirichlet(counts) and E[ln p_o] = digamma(count_o) - digamma(sum of counts): a
    distribution for each modality, log Z = 0. A level whose count is zero is forbidden, as in `LogPreferences`. `after`
    is the energy of every step after the episode's end.
    """

    def __init__(self, *, after: float = 0.0) -> None:
        super().__init__()
        self.after = finite("after", after)

    @classmethod
    def example(cls) -> Self:
        """The goal itself, which has nothing to choose."""
        return cls()

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """The energy of observations `z` (*s, b, levels) under log preferences `x` that broadcast, -inf forbidden."""
        forbidden = x.isneginf()
        energy = -(x.masked_fill(forbidden, 0.0) * z).sum(-1)
        return energy.masked_fill((forbidden * z).sum(-1) > POSSIBLE, inf)

    def expected(self, model: Model, step: Step) -> Tensor:
        return self(log_preferences(model), model.emit(step.after).mean)

    def outcome_entropy(self, model: Model, step: Step) -> Tensor | None:
        seen = model.emit(step.after)
        return seen.entropy() if isinstance(seen, Categorical) else None

    def log_normalizer(self, x: Any) -> Tensor:
        return torch.zeros((), dtype=torch.float64)


def log_preferences(model: Model) -> Tensor:
    """The log preferences C that a model has learned, the modalities one after the other, (levels,).

    Raises UserError where it learns none.
    """
    counts = model.outcome_counts() if isinstance(model, Preferring) else None
    if counts is None:
        raise UserError(
            f"learned_preferences needs a model that learns preferences, got {type(model).__name__}: "
            "use categorical or factored with learn = [..., 'C']"
        )
    return torch.cat([torch.log_softmax(torch.digamma(each.abs()), 0) for each in counts])  # of -0.0 it is +inf


def lasting(model: Model) -> dict[str, Any]:
    """What a model takes along into a world that is announced: its habits `E`, and its `counts` of preferences."""
    counts = model.outcome_counts() if isinstance(model, Preferring) else None
    habits = {} if model.log_habits is None else {"E": model.log_habits.exp()}
    return habits if counts is None else {**habits, "counts": {"C": counts}}
