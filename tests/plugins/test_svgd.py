"""Stein variational gradient descent: its update by hand, moments of what it settles on, several laws at once."""

from math import log

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Energy, Particles, Real, UserError, minimize
from agentic_energies.gaussian import GaussianEnergy
from agentic_energies.landscapes import DoubleWell
from agentic_optimizers.svgd import SVGD

F64 = torch.float64


def even(z: Tensor) -> Particles:
    return Particles(z, torch.full(z.shape[:2], -log(len(z)), dtype=F64))


def test_its_update_is_the_papers() -> None:
    """Equation 8 of Liu and Wang (2016), pair by pair, with the kernel's derivative by autograd."""
    f = Clamped(GaussianEnergy([1.0, 0.0], [[1.0, 0.4], [0.4, 2.0]]), None, Real((2,)))
    z = torch.randn(6, 1, 2, generator=torch.Generator().manual_seed(1), dtype=F64)
    square = (z[:, 0, None] - z[None, :, 0]).square().sum(-1)
    width = float(square.flatten().median()) / log(6)
    expected = torch.zeros(6, 2, dtype=F64)
    for i in range(6):
        for j in range(6):
            free = z[j, 0].clone().requires_grad_()
            kernel = (-(free - z[i, 0]).square().sum() / width).exp()
            repulsion = torch.autograd.grad(kernel, free)[0]
            expected[i] += (repulsion - kernel.detach() * f.gradient(z[j])[0]) / 6
    solution = minimize(f, SVGD(rate=0.2), even(z), steps=1)
    assert isinstance(solution.belief, Particles)
    assert_close(solution.belief.z[:, 0], z[:, 0] + 0.2 * expected)
    assert_close(solution.diagnostics["bandwidth"], torch.tensor([width], dtype=F64))
    assert_close(solution.value, f(solution.belief.z).mean(0))
    assert solution.evaluations == 12


class Shifted(Energy):
    """|z - x|^2 / 2: each row a law of its own."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * (z - x).square().sum(-1)


def test_every_row_settles_on_its_own_law() -> None:
    centers = torch.tensor([[0.0, 0.0], [3.0, -2.0]], dtype=F64)
    f = Clamped(Shifted(), centers, Real((2,)))
    solution = minimize(f, SVGD(steps=400, particles=60), torch.zeros(2, 2, dtype=F64))
    belief = solution.belief
    assert isinstance(belief, Particles)
    assert_close(belief.mean, centers, atol=0.03, rtol=0)
    assert_close(belief.z.var(0), torch.ones(2, 2, dtype=F64), atol=0.2, rtol=0)
    assert bool((solution.residual < 0.01).all())
    alone = minimize(
        Clamped(Shifted(), centers[1:], Real((2,))), SVGD(steps=400, particles=60), torch.zeros(1, 2)
    ).belief
    assert isinstance(alone, Particles)
    assert_close(alone.z.to(F64), belief.z[:, 1:], atol=1e-3, rtol=0)


def test_it_finds_both_modes() -> None:
    well = DoubleWell(barrier=1.5)
    belief = minimize(Clamped(well, None, Real((1,))), SVGD(steps=500), torch.zeros(1, 1, dtype=F64)).belief
    assert isinstance(belief, Particles)
    assert float((belief.z > 0).double().mean()) == pytest.approx(0.5, abs=0.1)
    assert float(belief.z.square().mean()) == pytest.approx(well.variance, abs=0.1)


def test_doors() -> None:
    for wrong in ({"particles": 2}, {"rate": 0.0}, {"spread": 0.0}):
        with pytest.raises(UserError, match="svgd expects particles >= 3, rate > 0 and spread > 0"):
            SVGD(**wrong)


def test_an_energy_that_sums_over_all_is_refused() -> None:
    class Summed(Energy):
        def forward(self, x: object, z: Tensor) -> Tensor:
            return z.square().sum()

    with pytest.raises(UserError, match=r"SVGD met an energy of shape \(\) where \(batch,\) is wanted"):
        minimize(Clamped(Summed(), None, Real((1,))), SVGD(), torch.zeros(1, 1, dtype=F64))
