"""Underdamped Langevin dynamics: the steps of BAOAB by hand, one gradient each."""

from math import exp, sqrt

import pytest
import torch
from torch.testing import assert_close

from agentic import Clamped, Particles, Real, UserError, minimize
from agentic_energies.landscapes import Banana
from agentic_optimizers.underdamped import UnderdampedLangevin

F64 = torch.float64


def test_its_steps_are_baoab() -> None:
    f, h, friction = Clamped(Banana(), None, Real((2,))), 0.3, 0.7
    solver = UnderdampedLangevin(steps=3, step_size=h, friction=friction, burn=0)
    z = torch.tensor([[0.5, -0.2], [1.0, 1.0]], dtype=F64)
    solution = minimize(f, solver, z, generator=torch.Generator().manual_seed(1))
    noise = torch.Generator().manual_seed(1)
    p = torch.empty_like(z).normal_(generator=noise)
    keep = exp(-friction * h)
    places = []
    for _ in range(3):
        p = p - h / 2 * f.gradient(z)
        z = z + h / 2 * p
        p = keep * p + torch.empty_like(z).normal_(0, sqrt(1 - keep**2), generator=noise)
        z = z + h / 2 * p
        p = p - h / 2 * f.gradient(z)
        places.append(z)
    assert isinstance(solution.belief, Particles)
    assert_close(solution.belief.z, torch.stack(places))
    assert_close(solution.trace[1:], f(torch.stack(places)))
    assert solution.evaluations == 4


def test_a_run_in_two_parts_is_the_run() -> None:
    f, solver = Clamped(Banana(), None, Real((2,))), UnderdampedLangevin(steps=10, burn=2, thin=3)
    start, whole = torch.zeros(2, 2, dtype=F64), torch.Generator().manual_seed(2)
    at_once = solver.run(f, solver.init(f, start), 10, generator=whole)
    parts, iterate = torch.Generator().manual_seed(2), solver.init(f, start)
    for steps in (1, 4, 5):
        iterate = solver.run(f, iterate, steps, generator=parts)
    assert_close(iterate.z, at_once.z)
    assert_close(iterate.memory.draws, at_once.memory.draws)
    assert_close(iterate.memory.energies, at_once.memory.energies)
    assert iterate.memory.draws.shape == (2, 2, 2)


def test_doors() -> None:
    for wrong in ({"friction": 0.0}, {"step_size": -1.0}, {"burn": -1}):
        with pytest.raises(
            UserError, match="underdampedlangevin expects 0 <= burn < steps and step_size > 0 and frict"
        ):
            UnderdampedLangevin(**wrong)
