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


def test_every_third_draw_of_the_same_walk() -> None:
    f, start = TestDraws.f, torch.zeros(4, 2, dtype=F64)
    every, third = (
        minimize(f, Langevin(steps=40, rate=0.1, burn=10, thin=thin), start, generator=torch.Generator().manual_seed(1))
        for thin in (1, 3)
    )
    assert isinstance(every.belief, Particles)
    assert isinstance(third.belief, Particles)
    assert_close(third.belief.z, every.belief.z[2::3])
    assert third.trace.shape == (1 + 10, 4)
    assert_close(third.value, every.trace[1:][2::3].mean(0))


def test_fewer_steps_than_the_burn_leave_the_last_place() -> None:
    f, source = TestDraws.f, torch.Generator().manual_seed(2)
    solution = minimize(f, Langevin(), torch.zeros(4, 2, dtype=F64), steps=5, generator=source)
    assert isinstance(solution.belief, Particles)
    assert solution.belief.z.shape == (1, 4, 2)
    assert_close(solution.value, f(solution.belief.z[0]))
    assert solution.trace.shape == (2, 4)


def test_what_comes_out_can_be_learned_from() -> None:
    """Draws made in place are ordinary tensors: an energy's weights can be given a gradient at them."""
    weight = torch.ones(2, dtype=F64, requires_grad=True)
    draws = minimize(TestDraws.f, Langevin(steps=20, burn=5), generator=torch.Generator().manual_seed(3)).belief.mean
    (draws * weight).square().sum().backward()
    assert weight.grad is not None
    assert not draws.requires_grad


def test_effective_samples_are_those_of_an_autoregression() -> None:
    """On N(0, 1) successive draws correlate by 1 - rate: n rate / (2 - rate) are independent."""
    f = Clamped(QuadraticGoal([1.0]), None, Real((1,)))
    source = torch.Generator().manual_seed(4)
    start = torch.randn(40, 1, generator=source, dtype=F64)
    message = minimize(f, Langevin(steps=4100, rate=0.2), start, generator=source).diagnostics
    assert float(message["ess"].mean()) == pytest.approx(4000 * 0.2 / 1.8, rel=0.1)
    assert float(message["r_hat"][0]) == pytest.approx(1, abs=0.01)


def test_doors() -> None:
    box = Box(torch.zeros(1), torch.ones(1))
    with pytest.raises(UserError, match="langevin walks in real vectors, got Box"):
        minimize(Clamped(QuadraticGoal([1.0]), None, box), Langevin())
    for wrong in ({"burn": 1000}, {"burn": -1}, {"rate": 0.0}):
        with pytest.raises(UserError, match="langevin expects 0 <= burn < steps and rate > 0"):
            Langevin(**wrong)
