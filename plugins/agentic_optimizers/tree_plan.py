"""A closed-loop plan over a tree of beliefs."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, final

import torch
from torch import Tensor

from agentic import Belief, Categorical, Plan, Simplex
from agentic.planning import Candidates, plan_posterior


@final
@dataclass(frozen=True)
class Tree(Plan):
    """A closed-loop plan over beliefs: `values` (a, b) of the first actions, and the same for every belief it visits.

    `beliefs` (m, n) are the distinct beliefs visited and `depths[d]` (m, a) the actions' values there with `d + 1`
    steps left, `scales` likewise how large what was added up is, see `ties`; `roots` (b,) index the beliefs it was made
    at. `parts` maps a term's name to (a, b).
    """

    values: Tensor
    parts: Mapping[str, Tensor]
    beliefs: Tensor
    roots: Tensor
    depths: tuple[Tensor, ...]
    domain: Simplex
    log_habits: Tensor | None = None
    version: int = 0
    memory: Any = None
    scales: tuple[Tensor, ...] = ()

    def first_action(self, precision: float = inf) -> Belief:
        return self._policy(self._first(precision))

    def act(self, belief: Belief, t: int, precision: float = inf) -> Belief:
        left = len(self.depths) - 1 - t
        values = self.depths[left]  # of the beliefs that can be met by then
        gaps = (self.beliefs[: len(values)].unsqueeze(0) - belief.mean.unsqueeze(1)).abs().amax(-1)
        gap, nearest = gaps.min(-1)
        if bool((gap > 1e-6).any()):
            raise ValueError(f"this tree does not visit the given belief (nearest differs by {float(gap.max()):.3g})")
        return self._policy(self._weights(values[nearest].T, precision, left, nearest))

    def _policy(self, q: Tensor) -> Belief:
        return Categorical(q.T @ self.domain.corners(q.dtype), self.domain.sizes)

    def _first(self, precision: float) -> Tensor:
        return self._weights(self.values, precision, -1, self.roots)

    def _weights(self, values: Tensor, precision: float, left: int, nodes: Tensor) -> Tensor:
        """The probabilities (a, b) of actions of `values` (a, b), those of `nodes` (b,) in `depths[left]`."""
        habits = None if self.log_habits is None else self.log_habits.unsqueeze(-1)
        scale = self.scales[left][nodes].T if self.scales else None
        return plan_posterior(values, precision, habits, scale=scale)

    def terms(self, precision: float = inf) -> Mapping[str, Tensor]:
        q = self._first(precision)
        return {name: torch.where(q > 0, q * part, 0.0).sum(0) for name, part in self.parts.items()}

    def candidates(self, n: int, precision: float = inf) -> Candidates:
        """The first actions, with what the tree expects after each: later ones depend on what will be seen."""
        corners = self.domain.corners(self.values.dtype)[:, None, None]
        return Candidates(corners, self._first(precision), self.parts).best(n, self.values)

    def shifted(self, begun: Tensor | None = None) -> "Plan | None":
        return self
