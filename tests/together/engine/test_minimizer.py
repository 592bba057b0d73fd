"""The engine with the solvers that come with it: frozen rows, counts, and what a solution's value is."""

import pytest
import torch
from torch.testing import assert_close

from agentic import Clamped, Minimizer, Point, Real, minimize
from agentic_energies.goals import QuadraticGoal
from agentic_energies.table import Table
from agentic_optimizers.gradient import Adam, GradientDescent
from agentic_optimizers.langevin import Langevin
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.newton import Newton

F64 = torch.float64
BOWL = Clamped(QuadraticGoal([1.0, 4.0]), None, Real((2,)))
STARTS = torch.tensor([[0.0, 0.0], [3.0, 1.0]], dtype=F64)


@pytest.mark.parametrize("solver", [GradientDescent(rate=0.2), Adam(), Newton()])
def test_one_row_may_begin_where_another_must_arrive(solver: Minimizer) -> None:
    solution = minimize(BOWL, solver, STARTS, steps=300)
    assert torch.equal(solution.belief.mean[0], STARTS[0])
    assert_close(solution.belief.mean[1], STARTS[0], atol=1e-3, rtol=0)


class TestSteps:
    def test_evaluations_are_counted_for_all_rows_at_once(self) -> None:
        assert minimize(BOWL, GradientDescent(), STARTS, steps=7).evaluations == 8

    def test_the_callers_number_of_steps_comes_before_the_solvers(self) -> None:
        assert minimize(BOWL, GradientDescent(steps=50, tolerance=0), STARTS[1:], steps=3).steps == 3
        assert minimize(BOWL, GradientDescent(steps=5, tolerance=0), STARTS[1:]).steps == 5

    def test_no_steps_tell_what_the_start_is_worth(self) -> None:
        solution = minimize(BOWL, GradientDescent(), STARTS, steps=0)
        assert_close(solution.value, BOWL(STARTS))
        assert solution.trace.shape == (1, 2)


class TestKinds:
    """What a solution's value is depends on the solver, and it says so."""

    def test_descent_gives_a_point_and_its_energy(self) -> None:
        solution = minimize(BOWL, GradientDescent(), STARTS)
        assert solution.kind == "energy"
        assert isinstance(solution.belief, Point)
        assert_close(solution.value, BOWL(solution.belief.z))

    def test_newton_and_mirror_give_free_energies(self) -> None:
        assert minimize(BOWL, Newton(), STARTS).kind == "free_energy"
        table = Table.example()
        assert minimize(Clamped(table, None, table.domain), Mirror()).kind == "free_energy"

    def test_a_sampler_gives_a_mean_energy_and_converges_in_law_only(self) -> None:
        draws = torch.Generator().manual_seed(0)
        solution = minimize(BOWL, Langevin(steps=20, burn=5), STARTS, generator=draws)
        assert (solution.kind, solution.converged, solution.steps) == ("mean_energy", None, 20)
        assert_close(solution.value, solution.trace[1:].mean(0))


def test_the_random_generator_is_the_callers() -> None:
    first, again = (
        minimize(BOWL, Langevin(steps=9, burn=0), STARTS, generator=torch.Generator().manual_seed(4)) for _ in range(2)
    )
    assert torch.equal(first.belief.mean, again.belief.mean)
