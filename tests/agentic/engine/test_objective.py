"""Objectives: an energy of what is free, where it starts, and what a place means once a solver has ended there."""

from typing import Any

import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Energy, Objective, Point, Real, minimize
from tests.agentic.standins import Bowl, Descent, Normal, Quartic

F64 = torch.float64


def points(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=F64)


X, Z = points(4, 3), points(5, 4, 3)


class TestObjectives:
    objective = Clamped(Bowl() + Quartic(), X, Real((3,)))

    def test_a_clamped_energy_is_the_energy_of_what_is_free(self) -> None:
        energy = self.objective.energy
        assert_close(self.objective(Z), energy(X, Z))
        assert_close(self.objective.gradient(Z), energy.gradient(X, Z))
        assert_close(self.objective.hessian(Z), energy.hessian(X, Z))
        assert self.objective.domain == Real((3,))

    def test_derivatives_by_default_are_those_of_autograd(self) -> None:
        class Black(Objective):
            """The same without its closed forms."""

            @property
            def domain(self) -> Real:
                return Real((3,))

            def __call__(self, z: Tensor) -> Tensor:
                return TestObjectives.objective(z)

        assert_close(Black().gradient(Z), self.objective.gradient(Z))
        assert_close(Black().hessian(Z), self.objective.hessian(Z))

    def test_derivatives_do_not_need_gradients_to_be_on(self) -> None:
        with torch.no_grad():
            assert_close(self.objective.gradient(Z), (Bowl() + Quartic()).gradient(X, Z))

    def test_an_energy_without_curvature_has_zero(self) -> None:
        class Slope(Energy):
            """The sum of z."""

            def forward(self, x: Any, z: Tensor) -> Tensor:
                return z.sum(-1)

        assert_close(Slope().hessian(None, Z), torch.zeros(5, 4, 3, 3, dtype=F64))

    def test_it_starts_in_the_middle_and_settles_on_a_point(self) -> None:
        assert_close(self.objective.start(None), torch.zeros(4, 3, dtype=F64))  # one for each row of x
        assert self.objective.start(None).dtype == F64
        single = Clamped(Bowl(), X.float(), Real((3,)))
        assert_close(single.start(None), torch.zeros(4, 3))
        assert_close(Clamped(Bowl(), None, Real((3,))).start(None), torch.zeros(1, 3, dtype=F64))
        settled = self.objective.settled(X, X.sum(-1))
        assert isinstance(settled, Point)
        assert settled.z is X


def test_rows_settle_alone_where_nothing_says_where_to_start() -> None:
    """One start for all rows would be moved by the sum of their gradients."""
    solution = minimize(Clamped(Normal(), X, Real((3,))), Descent(rate=0.2, steps=300))
    assert_close(solution.belief.mean, X, atol=1e-6, rtol=0)
