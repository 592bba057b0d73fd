"""Langevin dynamics: the law it has, bias included."""

import pytest
import torch
from torch.testing import assert_close

from agentic import Box, Clamped, Particles, Real, UserError, minimize
from agentic_energies.goals import QuadraticGoal
from agentic_optimizers.langevin import Langevin

F64 = torch.float64


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.8])
def test_its_stationary_variance_on_a_standard_normal_is_one_over_one_minus_half_the_rate(rate: float) -> None:
    """z' = (1 - e) z + sqrt(2 e) n has variance 2 e / (1 - (1 - e)^2). Chains are independent: so is the error."""
    chains, steps = 20_000, int(6 / rate)
    solver = Langevin(steps=steps, rate=rate, burn=steps - 1)
    f, draws = Clamped(QuadraticGoal([1.0]), None, Real((1,))), torch.Generator().manual_seed(3)
    start = torch.randn(chains, 1, generator=draws, dtype=F64)
    last = minimize(f, solver, start, generator=draws).belief.mean
    expected = 1 / (1 - rate / 2)
    error = expected * (2 / chains) ** 0.5
    assert float(last.var()) == pytest.approx(expected, abs=3 * error)
    assert float(last.mean()) == pytest.approx(0, abs=3 * (expected / chains) ** 0.5)


class TestDraws:
    f = Clamped(QuadraticGoal([1.0, 4.0], [1.0, -1.0]), None, Real((2,)))
    solution = minimize(f, Langevin(steps=60, rate=0.1, burn=20), generator=torch.Generator().manual_seed(0))

    def test_they_are_equally_weighted_particles_after_the_burn(self) -> None:
        belief = self.solution.belief
        assert isinstance(belief, Particles)
        assert belief.z.shape == (40, 1, 2)
        assert_close(belief.log_weights.exp(), torch.full((40, 1), 1 / 40, dtype=F64))

    def test_the_value_is_their_mean_energy(self) -> None:
        belief = self.solution.belief
        assert isinstance(belief, Particles)
        assert_close(self.solution.value, self.f(belief.z).mean(0))
        assert self.solution.evaluations == 61


def test_doors() -> None:
    box = Box(torch.zeros(1), torch.ones(1))
    with pytest.raises(UserError, match="langevin walks in real vectors, got Box"):
        minimize(Clamped(QuadraticGoal([1.0]), None, box), Langevin())
    for wrong in ({"burn": 1000}, {"burn": -1}, {"rate": 0.0}):
        with pytest.raises(UserError, match="langevin expects 0 <= burn < steps and rate > 0"):
            Langevin(**wrong)
