"""Structured mean field over a window: a product of chains, one for every factor (Saul and Jordan 1996).

Variational message passing: each factor's chain is settled exactly, forward and back, under what the other chains are
expected to cost it, one after another, so that no sweep raises the free energy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple, Self, final

import torch
from torch import Tensor

from agentic import Categorical, Iterate, Minimizer, Objective, Solution, UserError
from agentic_optimizers.rounding import above_rounding
from agentic_optimizers.window import Window, expected


class Chain(NamedTuple):
    """The belief about one factor over a window: `marginals` (n, T, b), and `pairs` (n, n, T - 1, b) in succession.

    `filtered` (n, T, b) is what the chain's forward pass alone gives.
    """

    marginals: Tensor
    pairs: Tensor
    filtered: Tensor

    def where(self, mask: Tensor, other: Self) -> Self:
        """The rows of this one where `mask` (b,) is true, those of `other` elsewhere."""
        return type(self)(*(torch.where(mask, mine, theirs) for mine, theirs in zip(self, other, strict=True)))


@final
@dataclass(frozen=True)
class StructuredMeanField(Minimizer):
    """The best product of Markov chains, one for each factor, over all steps of a `Window`.

    Lowers F = E_q[E] - H[q], a bound on minus the log evidence, which it meets where factors are independent: then one
    sweep is forward-backward for each. Within a factor all of time is exact; what is left out is how factors depend on
    each other. Residual: the largest change of a probability in the last sweep. Raises UserError for other objectives.
    """

    steps: int = 64
    tolerance: float = 1e-12

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise UserError(f"structured_mean_field expects steps >= 0, got {self.steps}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f, Window):
            raise UserError(f"structured_mean_field settles a window of steps, got {type(f).__name__}: use mirror")
        chains = [Chain(q, q[:, None, :-1] * q[None, :, 1:], q) for q in f.by_factor(f.start(z))]
        return _at(f, chains, 1)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        assert isinstance(f, Window)
        chains = list(iterate.memory)
        for i in range(len(chains)):
            chains[i] = _settled(*_costs_of(f, chains, i))
        after = _at(f, chains, iterate.evaluations + 1)
        change = (after.z - iterate.z).abs().amax(-1)
        return replace(after, residual=above_rounding(change, lambda: 1 + after.value.abs()))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        assert isinstance(f, Window)
        return iterate.solution(Categorical(iterate.z, f.domain.sizes), kind="free_energy")


def free_energies(f: Window, chains: Sequence[Chain]) -> Tensor:
    """The free energy that each step adds, (T, b): what it costs on average, less its entropy given the step before."""
    seen = _marginals(chains)
    value = chains[0].marginals.new_zeros(f.obs.shape[:2])
    for costs, over in f.seen:
        value = value + expected(costs, over, seen, ())
    for costs, over in f.moved:
        value[1:] += _averaged(f, costs, over, chains, ())
    for chain, prior in zip(chains, f.first.blocks, strict=True):
        surprise = -torch.special.xlogy(chain.marginals[:, 0], prior.T).sum(0)
        entropy = torch.special.entr(chain.pairs).sum((0, 1)) - torch.special.entr(chain.marginals[:, :-1]).sum(0)
        value[0] += surprise - torch.special.entr(chain.marginals[:, 0]).sum(0)
        value[1:] -= entropy
    return value


def _at(f: Window, chains: Sequence[Chain], evaluations: int) -> Iterate:
    value = free_energies(f, chains).sum(0)
    z = torch.cat([chain.marginals.permute(2, 1, 0) for chain in chains], -1).flatten(1)
    return Iterate(z, value, torch.full_like(value, inf), evaluations, tuple(chains))


def _costs_of(f: Window, chains: Sequence[Chain], i: int) -> tuple[Tensor, Tensor]:
    """What the states (n, T, b) and the moves (n, n, T - 1, b) of a factor cost on average over the other chains."""
    own, count = chains[i], len(chains)
    states, moves = torch.zeros_like(own.marginals), torch.zeros_like(own.pairs)
    first = f.first.blocks[i].T
    states[:, 0] -= torch.where(first > 0, torch.where(first > 0, first, 1.0).log(), -inf)  # zeros have no slope
    seen = _marginals(chains)
    for costs, over in f.seen:
        if i in over:
            states = states + expected(costs, over, seen, (i,))
    for costs, over in f.moved:
        if i not in over and count + i not in over:
            continue
        costs = _averaged(f, costs, over, chains, (i, count + i))
        if count + i not in over:
            states[:, :-1] += costs
        elif i not in over:
            states[:, 1:] += costs
        else:
            moves = moves + costs
    return states, moves


def _marginals(chains: Sequence[Chain]) -> dict[int, Tensor]:
    return {i: chain.marginals for i, chain in enumerate(chains)}


def _averaged(
    f: Window, costs: Tensor, over: tuple[int, ...], chains: Sequence[Chain], kept: tuple[int, ...]
) -> Tensor:
    """Costs (*sizes, T - 1, b) of a transition on average over all variables but those that are `kept`.

    The last variable is a factor after the step; where it is there before the step too, the two go together.
    """
    *before, after = over
    child, around = after - len(chains), f.around(_marginals(chains))
    if child in before and child not in kept:
        axis, pairs = before.index(child), chains[child].pairs
        shape = [n if place in (axis, len(before)) else 1 for place, n in enumerate(costs.shape[: len(over)])]
        weights = pairs.reshape(*shape, *pairs.shape[2:])
        costs = torch.where(weights > 0, costs * weights, 0.0).sum((axis, len(before)))
        over = tuple(v for v in before if v != child)
    return expected(costs, over, around, kept)


def _settled(states: Tensor, moves: Tensor) -> Chain:
    """The chain of exp(-costs), forward and back."""
    forward, backward = [-states[:, 0]], [torch.zeros_like(states[:, 0])]
    for t in range(moves.shape[2]):
        forward.append(torch.logsumexp(forward[-1].unsqueeze(1) - moves[:, :, t], 0) - states[:, t + 1])
    for t in reversed(range(moves.shape[2])):
        backward.append(torch.logsumexp(backward[-1] - states[:, t + 1] - moves[:, :, t], 1))
    ahead, behind = torch.stack(forward, 1), torch.stack(backward[::-1], 1)
    scores = ahead[:, None, :-1] - moves + (behind - states)[None, :, 1:]
    pairs = torch.softmax(scores.flatten(0, 1), 0).view_as(moves)
    return Chain(torch.softmax(ahead + behind, 0), pairs, torch.softmax(ahead, 0))
