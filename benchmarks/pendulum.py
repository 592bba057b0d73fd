"""The planning problem that ours and the peers are given: a pendulum, what it costs, and how a planner is set up."""

from math import pi
from typing import NamedTuple

import torch
from torch import Tensor

HORIZON, FORCE, DT = 15, 2.0, 0.05
ROUNDS, ELITES, SMOOTHING = 5, 0.1, 0.1  # of the cross-entropy method


class Case(NamedTuple):
    """A planner with so many candidates in so many environments."""

    method: str
    count: int
    environments: int


def moved(angle: Tensor, speed: Tensor, force: Tensor) -> tuple[Tensor, Tensor]:
    """One step of a pendulum; upright is angle 0."""
    speed = (speed + (15 * torch.sin(angle) + 3 * force) * DT).clamp(-8, 8)
    return angle + speed * DT, speed


def cost(angle: Tensor, speed: Tensor, force: Tensor) -> Tensor:
    """What Gymnasium's pendulum charges."""
    off = torch.remainder(angle + pi, 2 * pi) - pi
    return off * off + 0.1 * speed * speed + 0.001 * force * force
