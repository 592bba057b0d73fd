"""Affine feedback as a plan: what linear-quadratic control gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, final

import torch
from torch import Tensor

from agentic import Belief, Plan, Point
from agentic.planning import Candidates


@final
@dataclass(frozen=True)
class AffineFeedback(Plan):
    """A plan of affine feedback, a_t = K_t m + k_t on the belief's mean m: `gains` (T, da, dz), `offsets` (T, da).

    `start` is the belief it was made at; `parts` the terms of its expected energy there, each (b,). `memory` is what
    its solver derived from the weights and may use again while the version stands.
    """

    gains: Tensor
    offsets: Tensor
    start: Belief
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    version: int = 0
    memory: Any = None

    def first_action(self, precision: float = inf) -> Belief:
        return self.act(self.start, 0)

    def act(self, belief: Belief, t: int, precision: float = inf) -> Belief:
        return Point(belief.mean @ self.gains[t].T + self.offsets[t])

    def terms(self, precision: float = inf) -> Mapping[str, Tensor]:
        return self.parts

    def candidates(self, n: int, precision: float = inf) -> Candidates | None:
        """The one first action: what follows depends on what will be believed."""
        action = self.first_action(precision).mean
        one = torch.ones(1, len(action), dtype=action.dtype)
        terms = {name: part.expand(1, -1) for name, part in self.parts.items()}
        return Candidates(action.unsqueeze(0).unsqueeze(2), one, terms) if n else None

    def shifted(self, begun: Tensor | None = None) -> "Plan | None":
        return self
