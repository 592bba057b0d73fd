"""Whole courses at once: the expected energy of open-loop plans where a model imagines all their steps in one go.

The parts are those of `ExpectedEnergy.advance`, step by step; equal up to rounding.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Particles
from agentic.models.model import Courses, Model, Step
from agentic.planning.goal import Absorbing, Goal


class Course(NamedTuple):
    """The imagined course of some plans: every step as one, its P(alive) (T, *s, b), None for 1, and where it ends."""

    steps: Step
    alive: Tensor | None
    end: Belief
    survival: Tensor | None


def survivors(model: Model, goal: Goal, belief: Belief) -> tuple[Belief, Tensor | None]:
    """The belief given that the episode goes on, for all that model and goal say, and the probability of that."""
    belief, survival = model.condition_on_alive(belief)
    if not isinstance(goal, Absorbing):
        return belief, survival
    belief, apart = belief.reweighted(goal.alive)
    return belief, apart if survival is None else survival if apart is None else survival * apart


def imagined(model: Courses, goal: Goal, root: Particles, actions: Tensor, events: int) -> Course:
    """The course of `actions` (T, *s, b, *event), each with so many event axes, from the particles `root`."""
    assert isinstance(model, Model)
    root = root.beside(actions.dim() - 2 - events)
    lanes = actions.shape[1 : actions.dim() - events]
    first = root.z.expand(len(root.z), *lanes, root.z.shape[-1])
    after = model.course(first, actions)
    before = torch.cat([first.unsqueeze(1), after[:, :-1]], 1)
    weights = root.log_weights.expand(len(first), *lanes).unsqueeze(1)
    chance = going_on(model, goal, after)
    if chance is None:
        weights = weights.expand(after.shape[:-1])
        step = Step(Particles(before, weights), actions, Particles(after, weights))
        return Course(step, None, Particles(after[:, -1], weights[:, -1]), None)
    logs = chance.clamp(min=torch.finfo(chance.dtype).tiny).log().cumsum(1)
    every = torch.cat([weights, weights + logs], 1).log_softmax(0)
    survived = (every[:, :-1].exp() * chance).sum(0).cumprod(0)
    alive = torch.cat([torch.ones_like(survived[:1]), survived[:-1]])
    step = Step(Particles(before, every[:, :-1]), actions, Particles(after, every[:, :-1]))
    return Course(step, alive, Particles(after[:, -1], every[:, -1]), survived[-1])


def going_on(model: Model, goal: Goal, z: Tensor) -> Tensor | None:
    """The probability that it goes on where latents `z` are entered, by model and goal; None for always."""
    own, apart = model.alive(z), goal.alive(z) if isinstance(goal, Absorbing) else None
    return apart if own is None else own if apart is None else own * apart


def of_chance(chance: Tensor, part: Tensor) -> Tensor:
    """`chance` times a part of the energy, 0 where there is none, though the part be infinite."""
    return torch.where(chance > 0, chance * part, 0.0)


def paid(course: Course, parts: Mapping[str, Tensor], goal: Goal, discount: float) -> dict[str, Tensor]:
    """Parts of every step (T, *s, b or 1), by name, summed with their weights: discount^t x P(alive)."""
    alive, like = course.alive, parts["pragmatic"]
    weight = discount ** torch.arange(len(like), dtype=like.dtype, device=like.device).view(-1, *[1] * (like.dim() - 1))
    if alive is None:
        return {name: (weight * part).sum(0) for name, part in parts.items()}
    sums = {name: (weight * of_chance(alive, part)).sum(0) for name, part in parts.items()}
    if goal.after:
        sums["pragmatic"] = sums["pragmatic"] + goal.after * (weight * (1 - alive)).sum(0)
    return sums
