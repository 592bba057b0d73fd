"""MALA: Langevin's proposal with the acceptance of Metropolis and Hastings, and no bias left."""

from math import sqrt

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Real, UserError, minimize
from agentic_energies.gaussian import GaussianEnergy
from agentic_energies.landscapes import Banana
from agentic_optimizers.hamiltonian import orbit, walk
from agentic_optimizers.hmc import MALA

F64 = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_it_is_a_langevin_step_accepted_by_the_ratio_of_proposal_densities() -> None:
    f, rate, rows = Clamped(Banana(), None, Real((2,))), 0.4, 60
    solver = MALA(steps=2, rate=rate, target=0, burn=1)
    start = torch.randn(rows, 2, generator=seeded(1), dtype=F64)
    chain, value = orbit(f, start.clone(), solver.trajectory)
    walk(f, chain, solver.trajectory, 0, 1, seeded(2))
    noise, scale = seeded(2), sqrt(2 * rate)
    n = scale * torch.empty(rows, 2, dtype=F64).normal_(0, 1 / scale, generator=noise)
    z = start - rate * f.gradient(start) + scale * n

    def log_proposal(to: Tensor, at: Tensor) -> Tensor:
        return -(to - at + rate * f.gradient(at)).square().sum(-1) / (4 * rate)

    log_ratio = value - f(z) + log_proposal(start, z) - log_proposal(z, start)
    taken = torch.empty(rows, dtype=F64).exponential_(generator=noise) > -log_ratio
    assert 0 < int(taken.sum()) < rows
    assert_close(chain.z, torch.where(taken.unsqueeze(-1), z, start))


def test_a_large_step_is_refused_more_often_but_biases_nothing() -> None:
    """The step at which unadjusted Langevin's variance would be 2."""
    chains = 20_000
    f = Clamped(GaussianEnergy([0.0], [1.0]), None, Real((1,)))
    solution = minimize(
        f, MALA(steps=40, rate=1.0, target=0, burn=39), torch.zeros(chains, 1, dtype=F64), generator=seeded(3)
    )
    assert float(solution.belief.mean.var()) == pytest.approx(1, abs=4 * sqrt(2 / chains))
    assert solution.evaluations == 41
    gentle = minimize(
        f, MALA(steps=40, rate=0.01, target=0, burn=1), torch.zeros(50, 1, dtype=F64), generator=seeded(4)
    )
    assert float(gentle.diagnostics["acceptance"].mean()) > 0.98
    assert_close(gentle.diagnostics["step_size"], torch.full((50,), sqrt(0.02), dtype=F64))


def test_it_adapts_to_the_acceptance_that_is_best() -> None:
    f = Clamped(GaussianEnergy([0.0] * 10, [1.0] * 10), None, Real((10,)))
    message = minimize(f, MALA(steps=1500, burn=500), torch.zeros(8, 10, dtype=F64), generator=seeded(5)).diagnostics
    assert float(message["acceptance"].mean()) == pytest.approx(0.574, abs=0.06)


def test_doors() -> None:
    with pytest.raises(UserError, match="mala expects 0 <= burn < steps and rate > 0"):
        MALA(rate=0)
    with pytest.raises(UserError, match=r"mala expects target and jitter in \[0, 1\)"):
        MALA(target=-0.1)
