"""Samplers follow the law they claim: rank-based calibration and known moments, R27, and what BAOAB gets exactly."""

from collections.abc import Callable, Iterator
from functools import cache
from math import sqrt
from typing import Any, NamedTuple

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from agentic import Clamped, ClosedForm, Energy, Particles, Real, Solution, minimize
from agentic_energies.gaussian import GaussianEnergy
from agentic_energies.landscapes import Banana, DoubleWell
from agentic_optimizers.chains import Chains
from agentic_optimizers.hmc import HMC, MALA
from agentic_optimizers.langevin import Langevin
from agentic_optimizers.mixing import effective_samples
from agentic_optimizers.underdamped import UnderdampedLangevin

F64 = torch.float64


class Seen(ClosedForm):
    """|x - W z|^2 + |z|^2 / 2: the posterior of z ~ N(0, 1) seen through x = W z + N(0, 1/2), each row its own."""

    W = torch.tensor([[0.5, 0.0], [0.5, 0.5], [0.0, 1.0]], dtype=F64)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return (x - z @ self.W.T).square().sum(-1) + 0.5 * z.square().sum(-1)

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return z - 2 * (x - z @ self.W.T) @ self.W


class Target(NamedTuple):
    """A law: `draw(n, generator)` gives the objective of n rows and one exact draw of each, (n, 2).

    `moments` are functions of z with their expectations and variances; `stiffness` is the largest curvature, roughly.
    """

    draw: Callable[[int, torch.Generator], tuple[Clamped, Tensor]]
    moments: dict[str, tuple[Callable[[Tensor], Tensor], float]]
    stiffness: float


def fixed(energy: Energy, exact: Callable[[int, torch.Generator], Tensor]) -> Any:
    return lambda n, generator: (Clamped(energy, None, Real((2,))), exact(n, generator))


def posterior(n: int, generator: torch.Generator) -> tuple[Clamped, Tensor]:
    z = torch.randn(n, 2, generator=generator, dtype=F64)
    x = z @ Seen.W.T + sqrt(0.5) * torch.randn(n, 3, generator=generator, dtype=F64)
    return Clamped(Seen(), x, Real((2,))), z


NORMAL = GaussianEnergy([1.0, -1.0], torch.linalg.inv(torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=F64)))
BANANA, WELL = Banana(1.0, 0.5), DoubleWell(1.5, 0.2)


def first(z: Tensor) -> Tensor:
    return z[..., 0]


def second(z: Tensor) -> Tensor:
    return z[..., 1]


TARGETS = {
    "normal": Target(
        fixed(NORMAL, lambda n, generator: NORMAL.given(None).sample(n, generator)[:, 0]),
        {
            "mean of z1": (first, 1.0),
            "mean of z2": (second, -1.0),
            "variance of z1": (lambda z: (z[..., 0] - 1).square(), 1.0),
            "covariance": (lambda z: (z[..., 0] - 1) * (z[..., 1] + 1), 0.8),
        },
        5.0,
    ),
    "banana": Target(
        fixed(BANANA, BANANA.sample),
        {
            "mean of z1": (first, 0.0),
            "mean of z2": (second, 0.0),
            "variance of z1": (lambda z: z[..., 0].square(), BANANA.variance[0]),
            "variance of z2": (lambda z: z[..., 1].square(), BANANA.variance[1]),
        },
        6.0,
    ),
    "double well": Target(
        fixed(WELL, lambda n, generator: WELL.sample(n, generator, 2)),
        {
            "mean of z1": (first, WELL.mean),
            "second moment of z1": (lambda z: z[..., 0].square(), WELL.variance + WELL.mean**2),
            "weight of the right mode": (lambda z: (z[..., 0] > 0).to(z), WELL.right),
            "variance of z2": (lambda z: z[..., 1].square(), 1.0),
        },
        12.0,
    ),
    "posterior": Target(posterior, {}, 4.0),
}
SAMPLERS: dict[str, Chains] = {
    "langevin": Langevin(rate=0.01, burn=300, thin=100),
    "mala": MALA(rate=0.1, burn=200, thin=30),
    "underdamped": UnderdampedLangevin(step_size=0.1, burn=200, thin=60),
    "hmc": HMC(step_size=0.3, leapfrog=6, burn=100, thin=4),
}
CASES = [(target, sampler) for target in TARGETS for sampler in SAMPLERS]
LEVEL = 1e-3 / (3 * len(CASES))  # for all ranks together (Bonferroni)


class Study(NamedTuple):
    """One sampler on one law: exact draws (rows, 2), what it drew (k, rows, 2), and the whole solution."""

    f: Clamped
    exact: Tensor
    draws: Tensor
    solution: Solution


@cache
def study(target: str, sampler: str, rows: int, draws: int) -> Study:
    """Every row is one repetition; chains start at draws of a standard normal, not of the law."""
    generator = torch.Generator().manual_seed(20)
    f, exact = TARGETS[target].draw(rows, generator)
    solver = SAMPLERS[sampler]
    start = torch.randn(rows, 2, generator=generator, dtype=F64)
    solution = minimize(f, solver, start, steps=solver.burn + draws * solver.thin, generator=generator)
    assert isinstance(solution.belief, Particles)
    return Study(f, exact, solution.belief.z, solution)


def ranks(case: Study) -> Iterator[tuple[str, Tensor]]:
    """The rank (rows,) of the exact draw among the chain's, of either coordinate and of the energy."""
    for i in range(2):
        yield f"z{i + 1}", (case.draws[..., i] < case.exact[:, i]).sum(0)
    yield "energy", (case.f(case.draws) < case.f(case.exact)).sum(0)


def calibrated(case: Study, bins: int) -> None:
    """Ranks are uniform (Talts et al. 2018) by chi-square, at 1e-3 for all cases together."""
    for name, rank in ranks(case):
        counts = torch.bincount(rank * bins // (len(case.draws) + 1), minlength=bins)
        p = chisquare(counts.numpy()).pvalue
        assert p > LEVEL, f"ranks of {name} are not uniform: {counts.tolist()}, p = {p:.1e}"


def moments_hold(target: str, sampler: str, case: Study) -> None:
    """Within 4.5 standard errors, from the effective number of draws; for unadjusted Langevin also its bias.

    To first order in the rate its variance is too large by rate x curvature / 2, in units of itself.
    """
    law, solver = TARGETS[target], SAMPLERS[sampler]
    bias = solver.rate * law.stiffness / 2 if isinstance(solver, Langevin) else 0.0
    for name, (function, expected) in law.moments.items():
        values = function(case.draws)
        error = float(values.std()) / sqrt(float(effective_samples(values).sum()))
        gap = abs(float(values.mean()) - expected)
        assert gap <= 4.5 * error + bias * float(values.std()), f"{name} is {gap:.3g} off, one error is {error:.2g}"


@pytest.mark.parametrize(("target", "sampler"), CASES)
def test_ranks_are_uniform(target: str, sampler: str) -> None:
    calibrated(study(target, sampler, 256, 31), 8)


@pytest.mark.parametrize(("target", "sampler"), [case for case in CASES if case[0] != "posterior"])
def test_moments_are_known(target: str, sampler: str) -> None:
    moments_hold(target, sampler, study(target, sampler, 256, 31))


def test_a_law_that_is_off_is_caught() -> None:
    """Unadjusted Langevin at a rate where the narrow direction is twice as wide as it should be."""
    generator = torch.Generator().manual_seed(21)
    f, exact = TARGETS["normal"].draw(256, generator)
    solution = minimize(
        f, Langevin(steps=950, rate=0.3, burn=20, thin=30), torch.zeros(256, 2, dtype=F64), generator=generator
    )
    assert isinstance(solution.belief, Particles)
    with pytest.raises(AssertionError, match="ranks of energy are not uniform"):
        calibrated(Study(f, exact, solution.belief.z, solution), 8)


@pytest.mark.soak
@pytest.mark.parametrize(("target", "sampler"), CASES)
def test_many_ranks_and_moments(target: str, sampler: str) -> None:
    case = study(target, sampler, 2048, 127)
    calibrated(case, 16)
    moments_hold(target, sampler, case)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_r27_unadjusted_langevin_has_variance_one_over_one_minus_half_the_rate(rate: float) -> None:
    """R27: 1.0526 at .1 and 1.3333 at .5; exact draws of that law stay in it."""
    chains, steps = 40_000, int(8 / rate)
    f = Clamped(GaussianEnergy([0.0], [1.0]), None, Real((1,)))
    source = torch.Generator().manual_seed(27)
    solver = Langevin(steps=steps, rate=rate, burn=steps - 1)
    last = minimize(f, solver, torch.zeros(chains, 1, dtype=F64), generator=source).belief.mean
    expected = {0.1: 1.0526, 0.5: 1.3333}[rate]
    assert float(last.var()) == pytest.approx(expected, abs=4 * expected * sqrt(2 / chains))


@pytest.mark.parametrize("step_size", [0.5, 1.5])
def test_underdamped_langevin_has_no_bias_on_a_quadratic(step_size: float) -> None:
    """Leimkuhler and Matthews (2013): z is exact for every stable step, where an Euler step of that size is far off."""
    chains, f = 40_000, Clamped(GaussianEnergy([0.0], [1.0]), None, Real((1,)))
    solver = UnderdampedLangevin(steps=100, step_size=step_size, burn=99)
    source = torch.Generator().manual_seed(28)
    last = minimize(f, solver, torch.zeros(chains, 1, dtype=F64), generator=source).belief.mean
    assert float(last.var()) == pytest.approx(1, abs=4 * sqrt(2 / chains))
