"""Hamiltonian Monte Carlo: its trajectory by hand, its adaptation, and rows that know nothing of each other."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, ClosedForm, Energy, Objective, Particles, Real, RunError, UserError, minimize
from agentic_energies.gaussian import GaussianEnergy
from agentic_optimizers.hamiltonian import orbit, walk as walk_on
from agentic_optimizers.hmc import HMC

F64 = torch.float64
NORMAL = Clamped(GaussianEnergy([0.0, 0.0], [[1.0, 0.3], [0.3, 2.0]]), None, Real((2,)))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Scaled(ClosedForm):
    """|z|^2 / (2 x): every row of its own width."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return z.square().sum(-1) / (2 * x)

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return z / x.unsqueeze(-1)


@dataclass(frozen=True)
class Counted(Objective):
    """An objective that counts the places where its gradient is asked for."""

    f: Clamped
    seen: list[Tensor]

    @property
    def domain(self) -> Any:
        return self.f.domain

    def __call__(self, z: Tensor) -> Tensor:
        return self.f(z)

    def gradient(self, z: Tensor) -> Tensor:
        self.seen.append(z.clone())
        return self.f.gradient(z)

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(z), self.gradient(z)


def test_a_trajectory_is_leapfrog_and_its_acceptance_metropolis() -> None:
    """With the noise known, places, energies and decisions are those of the textbook's loop."""
    solver, rows = HMC(steps=2, step_size=0.9, leapfrog=3, target=0, jitter=0, burn=1), 40
    start = torch.randn(rows, 2, generator=seeded(1), dtype=F64)
    chain, value = orbit(NORMAL, start.clone(), solver.trajectory)
    walk_on(NORMAL, chain, solver.trajectory, 0, 1, seeded(2))
    noise = seeded(2)
    h, momentum = 0.9, 0.9 * torch.empty(rows, 2, dtype=F64).normal_(0, 1 / 0.9, generator=noise)
    z, p = start.clone(), momentum.clone()
    for _ in range(3):
        p = p - h / 2 * NORMAL.gradient(z)
        z = z + h * p
        p = p - h / 2 * NORMAL.gradient(z)
    rise = NORMAL(z) - value + 0.5 * (p.square() - momentum.square()).sum(-1)
    taken = torch.empty(rows, dtype=F64).exponential_(generator=noise) > rise
    assert 0 < int(taken.sum()) < rows
    assert_close(chain.z, torch.where(taken.unsqueeze(-1), z, start))
    assert_close(chain.value, NORMAL(chain.z))
    assert_close(chain.gradient, NORMAL.gradient(chain.z))


def test_a_step_costs_as_many_gradients_as_leapfrog_steps() -> None:
    watched = Counted(NORMAL, [])
    solver = HMC(steps=5, leapfrog=4, burn=2)
    solution = minimize(watched, solver, torch.zeros(3, 2, dtype=F64), generator=seeded())
    assert solution.evaluations == 1 + 5 * 4 == len(watched.seen)


def test_every_row_adapts_to_its_own_scale() -> None:
    """Step sizes are proportional to the widths, and acceptance is what was aimed at."""
    width = torch.tensor([0.01, 1.0, 100.0], dtype=F64).square()
    f = Clamped(Scaled(), width, Real((8,)))
    solver = HMC(steps=900, leapfrog=5, burn=400, target=0.8)
    start = width.sqrt().unsqueeze(-1) * torch.randn(3, 8, generator=seeded(3), dtype=F64)
    message = minimize(f, solver, start, generator=seeded(4)).diagnostics
    assert_close(
        message["step_size"] / width.sqrt() / message["step_size"][1], torch.ones(3, dtype=F64), atol=0.35, rtol=0
    )
    assert_close(message["acceptance"], torch.full((3,), 0.8, dtype=F64), atol=0.12, rtol=0)
    assert bool((message["ess"] > 100).all())


def test_without_a_target_the_step_size_stays() -> None:
    solver, start = HMC(steps=30, burn=10, target=0, step_size=0.3), torch.zeros(2, 2, dtype=F64)
    solution = minimize(NORMAL, solver, start, generator=seeded(0))
    assert_close(solution.diagnostics["step_size"], torch.full((2,), 0.3, dtype=F64))


def test_jitter_breaks_a_period() -> None:
    """On N(0, 1) a trajectory of length 2 pi comes back to where it began: only a jittered one gets anywhere."""
    f = Clamped(GaussianEnergy([0.0], [1.0]), None, Real((1,)))
    start = torch.full((200, 1), 2.0, dtype=F64)
    rigid = HMC(steps=40, step_size=torch.pi / 10, leapfrog=20, target=0, jitter=0, burn=39)
    stuck = minimize(f, rigid, start, generator=seeded(5)).belief.mean
    moved = minimize(f, replace(rigid, jitter=0.3), start, generator=seeded(5)).belief.mean
    assert float(stuck.mean()) > 1
    assert abs(float(moved.mean())) < 0.3


def test_a_place_where_the_energy_is_not_a_number_is_never_entered() -> None:
    class Hole(Energy):
        """Not a number on the right, a normal elsewhere."""

        def forward(self, x: Any, z: Tensor) -> Tensor:
            return torch.where(z[..., 0] > 0, torch.nan, 0.5 * z.square().sum(-1))

    start = torch.full((50, 1), -1.0, dtype=F64)
    solution = minimize(
        Clamped(Hole(), None, Real((1,))),
        HMC(steps=200, step_size=0.3, leapfrog=4, target=0, burn=50),
        start,
        generator=seeded(6),
    )
    assert isinstance(solution.belief, Particles)
    assert bool((solution.belief.z <= 0).all())
    assert float(solution.belief.mean.mean()) == pytest.approx(-((2 / torch.pi) ** 0.5), abs=0.1)


def test_doors() -> None:
    for wrong in ({"step_size": 0.0}, {"leapfrog": 0}, {"burn": 1000}, {"thin": 0}):
        with pytest.raises(UserError, match="hmc expects 0 <= burn < steps and step_size > 0 and leapfrog > 0"):
            HMC(**wrong)
    with pytest.raises(UserError, match=r"hmc expects target and jitter in \[0, 1\)"):
        HMC(target=1.0)
    with pytest.raises(UserError, match="adapting the step size needs burn > 0"):
        HMC(burn=0)


@pytest.mark.parametrize(
    ("of", "start", "sentence"),
    [
        (lambda z: torch.where(z > 0, 0.5 * z**2, torch.inf), -5.0, "infinite everywhere HMC looked"),
        (lambda z: 0 * z, 0.0, "accepted whatever it proposed in rows .* step size grew from 0.1 to"),
        (
            lambda z: torch.where(z == 1, 0 * z, torch.inf),
            1.0,
            r"never moved in rows \[0, 1\], whatever it",
        ),
    ],
)
def test_chains_that_have_no_law_to_follow_say_so(of: Any, start: float, sentence: str) -> None:
    class Of(Energy):
        """Of one number."""

        def forward(self, x: Any, z: Tensor) -> Tensor:
            value: Tensor = of(z).sum(-1)
            return value

    begin = torch.full((2, 1), start, dtype=F64)
    with pytest.raises((RunError, UserError), match=sentence):
        minimize(Clamped(Of(), None, Real((1,))), HMC(steps=700, burn=500), begin, generator=seeded(2))
