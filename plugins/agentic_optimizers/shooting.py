"""Planning by the gradient through the model: the whole sequence of actions is moved downhill."""

from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Box, Domain, Iterate, Minimizer, Objective, Real, Repeated, RunError, Simplex, Solution, UserError
from agentic_optimizers.rounding import above_rounding, largest

MEAN, SQUARE = 0.9, 0.99  # how long gradients and their squares are remembered
LONGER, SHORTER = 1.2, 0.5  # a row's step after one that lowered its energy, and after one that did not
LOGITS = 10.0  # on a simplex a step of `rate` is this many times as long, in logits


class Descent(NamedTuple):
    """The place of the gradient in free coordinates (b, *event), what is remembered of gradients, and the step sizes.

    `rate` (b,) is each row's step; `anchor` is the corner a search ended in, with its energy (b,).
    """

    free: Tensor
    slope: Tensor
    first: Tensor
    second: Tensor
    taken: Tensor
    rate: Tensor
    anchor: tuple[Tensor, Tensor] | None


class Waiting(NamedTuple):
    """The state before the search by `refine`: its start."""

    start: Any


@final
@dataclass(frozen=True)
class Shooting(Minimizer):
    """Gradient shooting, for any differentiable objective, planning included: Adam's direction, a step size per row.

    The step is longer after every success; where the energy did not fall it is undone, halved, and the memory of
    gradients erased. `rate` is the first one, a fraction of the box's sides (of 1 where there is none). One-hot
    variables are relaxed to a softmax and rounded in the end, when the corner is evaluated. `refine` is another
    solver (`icem`), whose best is the start. Residual: the projected gradient's norm. Raises RunError where the
    gradient is not a number at a start whose energy is one.
    """

    steps: int = 40
    rate: float = 0.05
    refine: Minimizer | None = None
    tolerance = 1e-6

    def __post_init__(self) -> None:
        if self.steps < 0 or not 0 < self.rate <= 1:
            raise UserError(f"shooting expects steps >= 0 and 0 < rate <= 1, got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(_base(f.domain), Box | Real | Simplex):
            raise UserError(f"shooting moves real or one-hot variables, got {f.domain}: choose another planner")
        start = f.start(z)
        if self.refine is None:
            return self._begin(f, start, None, 0)
        nothing = start.new_full(start.shape[:1], inf)
        return Iterate(start, nothing, nothing, 0, Waiting(z))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        memory = iterate.memory
        if isinstance(memory, Waiting):
            assert self.refine is not None
            search = self.refine
            found = search.run(f, search.init(f, memory.start), search.steps, generator=generator)
            return self._begin(f, found.z, (found.z, found.value), found.evaluations)
        wide = (-1, *[1] * (iterate.z.dim() - 1))
        first = MEAN * memory.first + (1 - MEAN) * memory.slope
        second = SQUARE * memory.second + (1 - SQUARE) * memory.slope.square()
        taken = memory.taken + 1
        corrected = (second / (1 - SQUARE**taken).view(wide)).sqrt() + 1e-12
        move = memory.rate.view(wide) * _sides(f.domain, iterate.z) * first / (1 - MEAN**taken).view(wide) / corrected
        free = memory.free - move
        free = free if _relaxed(f.domain) else f.domain.project(free)
        z, value, slope = _evaluated(f, free)
        fell = value < iterate.value
        rate = torch.where(fell, LONGER, SHORTER) * memory.rate
        pairs = ((z, iterate.z), (free, memory.free), (slope, memory.slope), (first, 0.0), (second, 0.0))
        z, free, slope, first, second = (torch.where(fell.view(wide), new, old) for new, old in pairs)
        taken = torch.where(fell, taken, 0.0)
        after = Descent(free, slope, first, second, taken, rate, memory.anchor)
        value = torch.where(fell, value, iterate.value)
        return Iterate(z, value, _stationary(f.domain, free, slope, value, rate), iterate.evaluations + 1, after)

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        iterate = super().run(f, iterate, steps, generator=generator)
        if isinstance(iterate.memory, Waiting):  # no step of its own: what the search found
            iterate = replace(self.step(f, iterate, generator=generator), steps=0)
        if not _relaxed(f.domain):
            return iterate
        corner = f.domain.project(iterate.z)
        value = f(corner)
        if iterate.memory.anchor is not None:
            place, known = iterate.memory.anchor
            better = known < value
            corner = torch.where(better.view(-1, *[1] * (corner.dim() - 1)), place, corner)
            value = torch.where(better, known, value)
        return replace(iterate, z=corner, value=value, evaluations=iterate.evaluations + 1)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return iterate.solution(f.settled(f.domain.project(iterate.z), iterate.value))

    def _begin(self, f: Objective, start: Tensor, anchor: Any, evaluations: int) -> Iterate:
        """The first iterate of the descent."""
        if _relaxed(f.domain):
            inside = 0.9 * start + 0.1 * f.domain.center(len(start), start.dtype).to(start.device)
            free = inside.log()
        else:
            free = f.domain.project(start)
        z, value, slope = _evaluated(f, free)
        nowhere = slope.isnan().flatten(1).all(1) & value.isfinite()
        if bool(nowhere.any()):
            raise RunError(
                f"shooting found an energy without a slope: at the start of row {int(nowhere.nonzero()[0, 0])} it is "
                f"{float(value[nowhere][0]):.4g} nats and its gradient not a number. Plan by search (icem, evolution), "
                "or mend the energy, as sqrt and norm have no slope at 0"
            )
        zero, none = torch.zeros_like(free), torch.zeros_like(value)
        rate = torch.full_like(value, self.rate)
        memory = Descent(free, slope, zero, zero, none, rate, anchor)
        return Iterate(z, value, _stationary(f.domain, free, slope, value, rate), evaluations + 1, memory)


def _base(domain: Domain) -> Domain:
    return domain.base if isinstance(domain, Repeated) else domain


def _relaxed(domain: Domain) -> bool:
    return isinstance(_base(domain), Simplex)


def _evaluated(f: Objective, free: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Place, energy and gradient in the free coordinates."""
    base = _base(f.domain)
    if not isinstance(base, Simplex):
        return free, *f.value_and_gradient(free)
    z = torch.cat([torch.softmax(block, -1) for block in base.blocks(free)], -1)
    value, slope = f.value_and_gradient(z)
    pairs = zip(base.blocks(z), base.blocks(slope), strict=True)
    through = [p * (s - (p * s).sum(-1, keepdim=True)) for p, s in pairs]
    return z, value, torch.cat(through, -1)


def _sides(domain: Domain, like: Tensor) -> Tensor | float:
    """What a step is measured in."""
    base = _base(domain)
    if isinstance(base, Simplex):
        return LOGITS
    if not isinstance(base, Box):
        return 1.0
    return (base.high - base.low).nan_to_num(posinf=1.0).to(like)


def _stationary(domain: Domain, free: Tensor, slope: Tensor, value: Tensor, rate: Tensor) -> Tensor:
    """How far a step along the gradient would go within the domain, 0 where it would be too small to be seen."""
    ahead = free - slope if _relaxed(domain) else domain.project(free - slope)
    norm: Tensor = (free - ahead).flatten(1).norm(dim=-1)
    close = above_rounding(norm, lambda: (1 + value.abs()).maximum(largest(free)))
    return torch.where(above_rounding(rate, lambda: torch.ones_like(rate)) > 0, close, 0.0)
