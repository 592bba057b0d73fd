"""Plans: beliefs over courses of action, as open-loop sequences, belief trees or affine feedback.

A plan is a belief over courses of action that can be asked for its first action and for the action at a later belief.
Candidates are weighed by q(plan) = softmax(-precision G + log E); an infinite precision is the greedy limit.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from math import inf
from typing import Self, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Categorical, Particles, Point
from agentic.engine.domain import Domain, Simplex
from agentic.engine.ties import ties


def plan_posterior(
    energies: Tensor,
    precision: float,
    log_prior: Tensor | None = None,
    dim: int = 0,
    *,
    scale: Tensor | None = None,
) -> Tensor:
    """The posterior over plans, softmax(-precision x energies + log prior) along `dim`.

    At infinite precision ties split evenly: what differs by rounding errors alone, see `ties`, which takes the
    `scale`. Candidates of infinite energy or zero prior get no weight unless all are such, which then share evenly.
    """
    if precision == inf:
        allowed = energies if log_prior is None else energies.masked_fill(torch.isneginf(log_prior), inf)
        chosen = ties(-allowed, scale, dim).to(energies.dtype)
        return chosen / chosen.sum(dim, keepdim=True)
    scores = -precision * energies
    if precision == 0:
        scores = torch.where(torch.isposinf(energies), -inf, scores)
    if log_prior is not None:
        scores = scores + log_prior
    return torch.softmax(scores.clamp(min=torch.finfo(scores.dtype).min), dim)


class Backup(ABC):
    """A map from the actions' expected energies (m, a) at m beliefs to one value each, and the policy behind it."""

    @abstractmethod
    def policy(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        """The probabilities of the actions, (m, a)."""

    def value(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        """The value passed up, (m,): the mean under the policy unless a backup says otherwise."""
        q = self.policy(energies, log_habits)
        return torch.where(q > 0, q * energies, torch.zeros_like(q)).sum(-1)


@final
@dataclass(frozen=True)
class Candidates:
    """The best courses of action a plan weighs, best first.

    `actions` (k, b, T, *event) are on the model's action space or its relaxation, `probability` (k, b) is q(plan),
    `terms` maps a part of the expected energy to (k, b), in nats.
    """

    actions: Tensor
    probability: Tensor
    terms: Mapping[str, Tensor]

    def best(self, n: int, values: Tensor) -> "Candidates":
        """The `n` most probable candidates of each row; of equals those of lower energy `values` (k, b)."""
        order = values.argsort(stable=True, dim=0)
        order = order.gather(0, self.probability.gather(0, order).argsort(stable=True, dim=0, descending=True))[:n]
        actions = self.actions.expand(-1, order.shape[1], *self.actions.shape[2:])
        chosen = actions[order, torch.arange(order.shape[1])]
        terms = {name: part.expand_as(values).gather(0, order) for name, part in self.terms.items()}
        return Candidates(chosen, self.probability.gather(0, order), terms)


class Plan(Belief):
    """A belief over courses of action. `version` is that of the model it was derived from.

    `terms(precision)` are the parts of the expected energy, each (b,), averaged over q(plan).
    """

    version: int

    @abstractmethod
    def first_action(self, precision: float = inf) -> Belief:
        """The belief about the first action, marginal over plans."""

    @abstractmethod
    def act(self, belief: Belief, t: int, precision: float = inf) -> Belief:
        """The belief about the action at step `t` of the plan, given the belief there."""

    @abstractmethod
    def terms(self, precision: float = inf) -> Mapping[str, Tensor]:
        """The named parts of the expected energy in nats, each (b,), averaged over q(plan)."""

    def candidates(self, n: int, precision: float = inf) -> Candidates | None:
        """The best `n` of the courses that the plan weighs, or all; None where they cannot be listed."""
        return None

    def shifted(self, begun: Tensor | None = None) -> "Plan | None":
        """The warm start of the next tick: this plan one step later, anew in the rows `begun` (b,) of a new episode.

        None where nothing can be kept.
        """
        return None

    @property
    @final
    def mean(self) -> Tensor:
        """The mean of the first action under the best plan, (b, *event)."""
        return self.first_action().mean

    @final
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.first_action(1.0).sample(n, generator)

    @final
    def where(self, mask: Tensor, other: Self) -> Self:
        raise TypeError("plans are not merged row by row: see shifted")


@final
@dataclass(frozen=True)
class Sequence(Plan):
    """Open-loop candidates: `actions` (k, b, T, *event) with their expected energies `values` (k, b) in nats.

    `parts` maps a term's name to (k, b); `log_prior` (k, b or 1) are the habits ln E; `domain` is the actions'. The
    `kept` best of them are what the next tick begins with.
    """

    actions: Tensor
    values: Tensor
    domain: Domain
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    log_prior: Tensor | None = None
    version: int = 0
    kept: int = 1

    def weights(self, precision: float = inf) -> Tensor:
        """The probabilities q(plan), (k, b)."""
        scale = None
        if self.parts and precision == inf:
            scale = reduce(torch.add, [part.abs() for part in self.parts.values()]).expand_as(self.values)
        return plan_posterior(self.values, precision, self.log_prior, scale=scale)

    def first_action(self, precision: float = inf) -> Belief:
        return self._marginal(0, precision)

    def act(self, belief: Belief, t: int, precision: float = inf) -> Belief:
        return self._marginal(t, precision)

    def _marginal(self, t: int, precision: float) -> Belief:
        actions, q = self.actions.select(2, t), self.weights(precision)
        if isinstance(self.domain, Simplex):
            shared = actions.shape[1] == 1 and q.dim() == 2  # the same courses for every row
            mean = q.T @ actions.select(1, 0).to(q.dtype) if shared else (q.unsqueeze(-1) * actions).sum(0)
            return Categorical(mean, self.domain.sizes)
        if len(actions) == 1:
            return Point(actions[0])
        return Particles(actions.expand(*q.shape, *actions.shape[2:]), q.log())

    def terms(self, precision: float = inf) -> Mapping[str, Tensor]:
        q = self.weights(precision)
        return {name: torch.where(q > 0, q * part, torch.zeros_like(part)).sum(0) for name, part in self.parts.items()}

    def candidates(self, n: int, precision: float = inf) -> Candidates:
        """The best `n` whole sequences; their energy is the only term where the parts are not known."""
        parts = self.parts or {"expected_energy": self.values}
        return Candidates(self.actions, self.weights(precision), parts).best(n, self.values)

    def shifted(self, begun: Tensor | None = None) -> "Plan | None":
        """The `kept` best sequences one step later, best first, each with its last action repeated.

        In the rows `begun` every action is the middle of its domain. None where none are kept.
        """
        if self.kept == 0:
            return None
        values, rows = self.values, torch.arange(self.values.shape[1])
        best = values.argmin(0, keepdim=True) if self.kept == 1 else values.argsort(dim=0, stable=True)[: self.kept]
        actions = self.actions.expand(-1, values.shape[1], *self.actions.shape[2:])[best, rows]
        moved = torch.cat([actions[:, :, 1:], actions[:, :, -1:]], 2)
        if begun is not None:
            fresh = self.domain.center(len(rows), moved.dtype).unsqueeze(1)
            moved = torch.where(begun.view(-1, *[1] * (moved.dim() - 2)), fresh, moved)
        return replace(self, actions=moved, values=values[best, rows], parts={}, log_prior=None)
