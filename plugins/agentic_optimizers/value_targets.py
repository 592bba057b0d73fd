"""Targets of fitted value iteration in imagination: the least that is still to come, over random courses of action."""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor

from agentic import Belief, Model, Particles, Point, Purpose, Step, UncertainWeights
from agentic.models import Courses
from agentic.planning import going_on
from agentic_optimizers.segments import courses

LOOKS = (1, 2, 4, 8, 16)  # steps after which a course may be left for what is to come from there
KEPT = (1, 4, 16)  # steps after which its latents may be starts


class Imagined(NamedTuple):
    """What courses from some starts (n, d) came to: the energies to come (n,), and latents (m, d) entered alive.

    `best` are those on the courses of least energy.
    """

    targets: Tensor
    entered: Tensor
    best: Tensor


@dataclass
class Bounds:
    """The least and the most that is to come, by the energies of steps seen to go on and of those seen to end."""

    discount: float
    low: float = inf
    high: float = -inf
    last_low: float = inf
    last_high: float = -inf

    def see(self, energies: Tensor, before: Tensor, after: Tensor) -> None:
        """Take the energies of steps, P(alive) before and after each of them, all of one shape."""
        going, ending = energies[(before > 0.5) & (after > 0.5)], energies[(before > 0.5) & (after <= 0.5)]
        if going.numel():
            self.low, self.high = min(self.low, float(going.min())), max(self.high, float(going.max()))
        if ending.numel():
            self.last_low = min(self.last_low, float(ending.min()))
            self.last_high = max(self.last_high, float(ending.max()))

    def range(self, end: float) -> tuple[float, float]:
        """Bounds of what is to come where the energy after an end sums to `end`: any course mixes these four."""
        steps = 1 / (1 - self.discount)
        last = [energy + self.discount * end for energy in (self.last_low, self.last_high)]
        return min(self.low * steps, last[0]), max(self.high * steps, last[1])


@dataclass
class Targets:
    """The targets of starts by one model for one purpose, whose terminal energy is a `CostToGo`."""

    model: Model
    purpose: Purpose
    options: int
    bounds: Bounds

    @torch.no_grad()
    def of(self, starts: Tensor, generator: torch.Generator) -> Imagined:
        """Imagine `options` random courses from each of `starts` (n, d), each by one of the members."""
        first, index = self._lanes(starts, generator)
        steps = LOOKS[-1]
        actions = courses(self.model.action, steps, first.shape[1], generator, starts.dtype).to(starts.device)
        after = self._course(first, actions)
        before = torch.cat([first.unsqueeze(1), after[:, :-1]], 1)
        done = actions.expand(len(first), *actions.shape)
        step = Step(Point(before), done, Point(after))
        energies = self.purpose.goal.expected(self.model, step).expand(after.shape[:-1])
        if self.purpose.effort is not None:
            energies = energies + self.purpose.effort(None, done)
        alive = self._alive(after)
        lived = torch.cat([torch.ones_like(alive[:, :1]), alive], 1)
        self.bounds.see(energies, lived[:, :-1], lived[:, 1:])
        values = self._least(energies, after, lived).reshape(-1)
        targets = values.new_full((len(starts),), inf).scatter_reduce(0, index, values, "amin")
        kept = after[:, [look - 1 for look in KEPT]]
        going = (alive[:, [look - 1 for look in KEPT]] > 0.5) & kept.isfinite().all(-1)
        best = (values <= targets[index]).view(len(first), 1, -1)
        return Imagined(targets, kept[going], kept[going & best])

    def _course(self, first: Tensor, actions: Tensor) -> Tensor:
        """The latents (members, T, n, d) after each of `actions` (T, n, *event), of a model of one mean too."""
        if isinstance(self.model, Courses):
            return self.model.course(first, actions)
        course = [first]
        for action in actions:
            course.append(self.model.predict(Point(course[-1]), action).mean)
        return torch.stack(course[1:], 1)

    def _lanes(self, starts: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The starts of all courses, shared out among the members at random: (members, n, d), and their numbers."""
        begun: Belief = Point(starts[:1])
        if isinstance(self.model, UncertainWeights) and isinstance(self.model, Courses):
            begun = self.model.initial_belief(begun)
        members = len(begun.z) if isinstance(begun, Particles) else 1
        count = self.options * len(starts)
        order = torch.randperm(count, generator=generator)
        order = order.repeat(-(-members // count) + 1)[: -(-count // members) * members].to(starts.device) % len(starts)
        return starts[order].view(members, -1, starts.shape[-1]), order

    def _alive(self, z: Tensor) -> Tensor:
        """The probability (members, T, n) that a course goes on after each of its steps."""
        alive = going_on(self.model, self.purpose.goal, z)
        return z.new_ones(z.shape[:-1]) if alive is None else alive.cumprod(1)

    def _least(self, energies: Tensor, after: Tensor, lived: Tensor) -> Tensor:
        """The least energy of each course over the looks at which it may be left, (members, n)."""
        purpose, discount = self.purpose, self.purpose.discount
        assert purpose.terminal is not None
        weight = discount ** torch.arange(energies.shape[1] + 1, dtype=energies.dtype, device=energies.device)
        paid = lived[:, :-1] * energies + (1 - lived[:, :-1]) * purpose.goal.after
        summed = (weight[:-1].unsqueeze(-1) * paid).cumsum(1)
        there = [look - 1 for look in LOOKS]
        z, alive = after[:, there], lived[:, 1:][:, there]
        ahead = torch.where(alive > 0, alive * purpose.terminal(None, z), 0.0) + (1 - alive) * purpose.terminal.after
        return (summed[:, there] + weight[1:][there].unsqueeze(-1) * ahead).amin(1)
