"""A frictionless pendulum: the state after a step is a function of the state before, and its energy stays."""

import torch
from torch import Tensor

STEP = 0.5  # time from one state to the next, in units of sqrt(length / gravity)
SUBSTEPS = 20  # of Runge and Kutta's method in one step: exact to 1e-7
NOISE = 0.02  # standard deviation of the measured change, radians and radians per unit of time
WITHIN, BEYOND = (-1.0, -0.2), (0.0, 0.8)  # mechanical energies in which data are seen, and in which none are


def mechanical(state: Tensor) -> Tensor:
    """Kinetic plus potential energy (*), from -1 at rest to 1 where it goes over the top; state (angle, velocity)."""
    return 0.5 * state[..., 1].square() - state[..., 0].cos()


def advance(state: Tensor) -> Tensor:
    """The state (*, 2) one step later; the angle is not wrapped."""
    h = STEP / SUBSTEPS
    for _ in range(SUBSTEPS):
        a = _slope(state)
        b = _slope(state + h / 2 * a)
        c = _slope(state + h / 2 * b)
        state = state + h / 6 * (a + 2 * b + 2 * c + _slope(state + h * c))
    return state


def _slope(state: Tensor) -> Tensor:
    return torch.stack([state[..., 1], -state[..., 0].sin()], -1)


def draw(count: int, energies: tuple[float, float], *, generator: torch.Generator) -> Tensor:
    """States (count, 2), even over the states of these mechanical energies: drawn from a box, others put aside."""
    found = torch.zeros(0, 2)
    while len(found) < count:
        state = (2 * torch.rand(4 * count, 2, generator=generator) - 1) * torch.tensor([2.6, 2.0])
        level = mechanical(state)
        found = torch.cat([found, state[(level > energies[0]) & (level < energies[1])]])
    return found[:count]
