"""L-BFGS: quasi-Newton steps from the last few changes of the gradient (Nocedal and Wright 2006, algorithm 7.4)."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Iterate, Minimizer, Objective, Real, Repeated, Solution, UserError
from agentic_optimizers.rounding import above_rounding, largest


class History(NamedTuple):
    """The gradient (b, n), the last changes of the place and of the gradient, and the steps taken (b,).

    Changes s and y are (b, m, n), newest last, with 1 / (s . y) of each (b, m), 0 where there is none.
    """

    gradient: Tensor
    moves: Tensor
    changes: Tensor
    inverse: Tensor
    taken: Tensor


@final
@dataclass(frozen=True)
class LBFGS(Minimizer):
    """L-BFGS: z <- z - t H gradient, H from a row's last `memory` steps, t by backtracking (Armijo) in each row.

    A step is halved until the energy falls by a fraction `decrease` of what its slope promises, at most `trials` times.

    One evaluation a step, unless a row must turn back. A pair without positive curvature is left out, so that H stays
    positive definite. Residual: the gradient's norm. A row that finds no lower place stays, and forgets its steps.
    """

    steps: int = 100
    memory: int = 10
    trials: int = 20
    decrease: float = 1e-4
    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        if self.steps < 0 or self.memory < 1 or self.trials < 1 or not 0 < self.decrease < 0.5:
            raise UserError(f"lbfgs expects steps >= 0, memory >= 1, trials >= 1 and 0 < decrease < 0.5, got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        base = f.domain.base if isinstance(f.domain, Repeated) else f.domain
        if not isinstance(base, Real):
            raise UserError(f"lbfgs needs real vectors without bounds, got {f.domain}: use gradient, mirror or cem")
        start = f.start(z)
        value, slope = f.value_and_gradient(start)
        gradient = slope.flatten(1)
        rows, size = gradient.shape
        empty = gradient.new_zeros(rows, self.memory, size)
        history = History(gradient, empty, empty, empty[..., 0], gradient.new_zeros(rows))
        return Iterate(start, value, _residual(start, value, history, None), 1, history)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        history: History = iterate.memory
        way = -_precondition(history)
        fall = (way * history.gradient).sum(-1)
        place, value, slope, trials = self._search(f, iterate, way, fall)
        lower = value <= _bound(iterate.value)
        row = lower.unsqueeze(-1)
        z = torch.where(lower.view(-1, *[1] * (place.dim() - 1)), place, iterate.z)
        gradient = torch.where(row, slope.flatten(1), history.gradient)
        after = _remember(history, (z - iterate.z).flatten(1), gradient, lower)
        value = torch.where(lower, value, iterate.value)
        return Iterate(z, value, _residual(z, value, after, iterate.z), iterate.evaluations + trials, after)

    def _search(self, f: Objective, iterate: Iterate, way: Tensor, fall: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
        """The place, value and gradient where every row has fallen enough, or where the trials end; their number."""
        ahead, scale = way.view_as(iterate.z), torch.ones_like(fall)
        trials = 0
        while True:
            place = iterate.z + scale.view(-1, *[1] * (ahead.dim() - 1)) * ahead
            value, slope = f.value_and_gradient(place)
            trials += 1
            short = ~(value <= _bound(iterate.value) + self.decrease * scale * fall)
            if trials == self.trials or not bool(short.any()):
                return place, value, slope, trials
            rise = value - iterate.value - scale * fall
            parabola = (-0.5 * scale * fall / rise).nan_to_num(nan=0.5).clamp(0.1, 0.5)
            scale = torch.where(short, scale * parabola, scale)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        """The point that was reached, with the `steps` that each row took (b,)."""
        return replace(super().solution(f, iterate), diagnostics={"steps": iterate.memory.taken})


def _residual(z: Tensor, value: Tensor, history: History, before: Tensor | None) -> Tensor:
    """The gradient's norm, of which rounding leaves as much as the largest curvature met makes of that of z.

    All of it where the last step, from `before`, was too short to be seen: longer ones raise the energy.
    """
    norm = history.gradient.norm(dim=-1)

    def size() -> Tensor:
        bends = history.changes.norm(dim=-1) / history.moves.norm(dim=-1)
        terms = (1 + value.abs()).maximum(bends.nan_to_num(0.0, 0.0).amax(-1) * largest(z))
        if before is None:
            return terms
        stays = (history.inverse[:, -1] > 0) & (z == before).flatten(1).all(-1)
        return torch.where(stays, norm / torch.finfo(norm.dtype).eps, terms)

    return above_rounding(norm, size)


def _bound(value: Tensor) -> Tensor:
    """The highest value that is not above `value` but for rounding."""
    return value + 4 * torch.finfo(value.dtype).eps * (1 + value.abs())


def _precondition(history: History) -> Tensor:
    """H gradient of every row (b, n), by the two loops over its pairs; a first step has length 1 at most."""
    filled = int((history.inverse > 0).any(0).sum())
    size = history.inverse.shape[1]
    way, weights = history.gradient, dict[int, Tensor]()
    for i in range(size - 1, size - 1 - filled, -1):
        weights[i] = history.inverse[:, i, None] * (history.moves[:, i] * way).sum(-1, keepdim=True)
        way = way - weights[i] * history.changes[:, i]
    newest = history.changes[:, -1].square().sum(-1) * history.inverse[:, -1]
    first = history.gradient.norm(dim=-1).clamp(min=1)
    way = way / torch.where(history.inverse[:, -1] > 0, newest, first).unsqueeze(-1)
    for i, weight in sorted(weights.items()):
        back = history.inverse[:, i, None] * (history.changes[:, i] * way).sum(-1, keepdim=True)
        way = way + history.moves[:, i] * (weight - back)
    return way


def _remember(history: History, move: Tensor, gradient: Tensor, lower: Tensor) -> History:
    """The history with the newest pair in the place of the oldest; rows without curvature keep what they had."""
    change = gradient - history.gradient
    product = (move * change).sum(-1)
    bends = product > torch.finfo(product.dtype).eps * change.square().sum(-1)

    def pushed(old: Tensor, new: Tensor) -> Tensor:
        shifted = torch.cat([old[:, 1:], new.unsqueeze(1)], 1)
        return torch.where(bends.view(-1, *[1] * (old.dim() - 1)), shifted, old)

    inverse = pushed(history.inverse, 1 / torch.where(bends, product, 1))
    inverse = torch.where(lower.unsqueeze(-1), inverse, torch.zeros_like(inverse))
    moves, changes = pushed(history.moves, move), pushed(history.changes, change)
    return History(gradient, moves, changes, inverse, history.taken + 1)
