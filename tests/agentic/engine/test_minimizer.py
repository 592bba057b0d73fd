"""The engine: frozen rows, traces, counts, and what a solution's value is."""

from dataclasses import dataclass
from math import inf, nan
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Clamped,
    Energy,
    Evidence,
    Gaussian,
    Goal,
    Iterate,
    Minimizer,
    Objective,
    Point,
    Real,
    RunError,
    Solution,
    UserError,
    minimize,
)
from agentic.testing.parts import BayesRule
from agentic.testing.worlds import Ladder
from tests.agentic.standins import Bell, Descent, SeenSquare, Wander

F64 = torch.float64
BOWL = Clamped(SeenSquare([1.0, 4.0]), None, Real((2,)))
STARTS = torch.tensor([[0.0, 0.0], [3.0, 1.0]], dtype=F64)


@dataclass(frozen=True)
class Halving(Minimizer):
    """z <- z / 2; its residual is |z|, its memory counts each row's steps."""

    steps: int = 10
    tolerance: float = 0.3

    def init(self, f: Objective, z: Any) -> Iterate:
        start = f.start(z)
        return Iterate(start, f(start), start.norm(dim=-1), 1, (torch.zeros(len(start)),))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        z = iterate.z / 2
        return Iterate(z, f(z), z.norm(dim=-1), iterate.evaluations + 1, (iterate.memory[0] + 1,))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return iterate.solution(Point(iterate.memory[0].unsqueeze(-1)))


class TestRows:
    starts = torch.tensor([[0.0, 0.2], [0.0, 1.0], [0.0, 8.0]], dtype=F64)

    def test_a_converged_row_is_frozen_and_the_others_go_on(self) -> None:
        solution = minimize(BOWL, Halving(), self.starts)
        assert solution.steps == 5
        assert solution.belief.mean.flatten().tolist() == [0, 2, 5]
        assert solution.converged is not None
        assert bool(solution.converged.all())
        assert solution.residual.tolist() == [0.2, 0.25, 0.25]

    def test_the_trace_has_every_value_and_stands_still_where_a_row_is_frozen(self) -> None:
        trace = minimize(BOWL, Halving(), self.starts).trace
        assert trace.shape == (6, 3)
        assert_close(trace[:, 0], trace[0, 0].expand(6))
        assert_close(trace[:, 2], 2 * 64.0 * torch.tensor(0.25, dtype=F64) ** torch.arange(6))

    def test_a_batch_is_its_rows_alone(self) -> None:
        together = minimize(BOWL, Halving(), self.starts)
        for row in range(3):
            alone = minimize(BOWL, Halving(), self.starts[[row]])
            assert torch.equal(alone.value, together.value[[row]])

    def test_nothing_is_done_where_all_have_converged(self) -> None:
        solution = minimize(BOWL, Halving(), self.starts[:1])
        assert (solution.steps, solution.evaluations) == (0, 1)

    @pytest.mark.parametrize("solver", [Descent(rate=0.2), Bell()])
    def test_one_row_may_begin_where_another_must_arrive(self, solver: Minimizer) -> None:
        solution = minimize(BOWL, solver, STARTS, steps=300)
        assert torch.equal(solution.belief.mean[0], STARTS[0])
        assert_close(solution.belief.mean[1], STARTS[0], atol=1e-3, rtol=0)


class TestSteps:
    def test_evaluations_are_counted_for_all_rows_at_once(self) -> None:
        assert minimize(BOWL, Descent(), STARTS, steps=7).evaluations == 8

    def test_the_callers_number_of_steps_comes_before_the_solvers(self) -> None:
        assert minimize(BOWL, Descent(steps=50, tolerance=0), STARTS[1:], steps=3).steps == 3
        assert minimize(BOWL, Descent(steps=5, tolerance=0), STARTS[1:]).steps == 5

    def test_no_steps_tell_what_the_start_is_worth(self) -> None:
        solution = minimize(BOWL, Descent(), STARTS, steps=0)
        assert_close(solution.value, BOWL(STARTS))
        assert solution.trace.shape == (1, 2)

    def test_a_negative_number_of_steps(self) -> None:
        with pytest.raises(UserError, match="minimize expects steps >= 0, got -1"):
            minimize(BOWL, Descent(), steps=-1)


class TestStretches:
    """A solver may be looked at after several steps."""

    starts = TestRows.starts

    def test_rows_that_had_converged_at_a_look_are_frozen_and_the_last_part_is_shorter(self) -> None:
        def twice(now: Iterate, count: int) -> Iterate:
            for _ in range(count):
                now = solver.step(BOWL, now, generator=None)
            return now

        solver = Halving()
        end = solver.fold(solver.init(BOWL, self.starts), 7, twice, every=2)
        assert (end.steps, len(end.trace), end.evaluations) == (6, 4, 7)
        assert end.memory[0].tolist() == [0, 2, 6]
        again = solver.fold(end, 3, twice, every=2)
        assert (again.steps, len(again.trace)) == (0, 1)
        assert solver.fold(solver.init(BOWL, self.starts), 3, twice, every=2).steps == 3

    def test_an_iterate_is_the_solution_of_a_solver_that_begins_and_ends_there(self) -> None:
        iterate = Halving().init(BOWL, self.starts)
        solution = iterate.solution(Point(iterate.z))
        assert (solution.kind, solution.steps, solution.evaluations, solution.converged) == ("energy", 0, 1, None)
        assert torch.equal(solution.value, iterate.value)
        assert torch.equal(solution.trace, iterate.value.unsqueeze(0))


class TestKinds:
    """What a solution's value is depends on the solver, and it says so."""

    def test_descent_gives_a_point_and_its_energy(self) -> None:
        solution = minimize(BOWL, Descent(), STARTS)
        assert solution.kind == "energy"
        assert isinstance(solution.belief, Point)
        assert_close(solution.value, BOWL(solution.belief.z))

    def test_a_distribution_has_a_free_energy(self) -> None:
        solution = minimize(BOWL, Bell(), STARTS)
        assert solution.kind == "free_energy"
        assert isinstance(solution.belief, Gaussian)
        assert isinstance(BOWL.energy, Goal)
        log_z = BOWL.energy.log_normalizer(None)
        assert log_z is not None
        assert_close(solution.value, -log_z.expand(2))
        evidence = Evidence(Ladder(), torch.eye(4, dtype=F64)[:2], Ladder().begin(2))
        exact = minimize(evidence, BayesRule(), evidence.start(None))
        assert exact.kind == "free_energy"
        assert_close(exact.value, -(Ladder().likelihood()[:2] @ Ladder().begin(1).mean[0]).log())

    def test_a_sampler_gives_a_mean_energy_and_converges_in_law_only(self) -> None:
        draws = torch.Generator().manual_seed(0)
        solution = minimize(BOWL, Wander(steps=20), STARTS, generator=draws)
        assert (solution.kind, solution.converged, solution.steps) == ("mean_energy", None, 20)
        assert_close(solution.value, solution.trace[1:].mean(0))


def test_an_energy_that_is_not_a_number_is_an_error() -> None:
    class Hole(Energy):
        """Not a number on the right."""

        def forward(self, x: Any, z: Tensor) -> Tensor:
            return torch.where(z[..., 0] > 1, nan, z[..., 0] ** 2)

    with pytest.raises(RunError, match=r"Halving met an energy that is not a number in rows \[1\]"):
        minimize(Clamped(Hole(), None, Real((2,))), Halving(), STARTS, steps=0)


def test_an_infinite_energy_is_no_error() -> None:
    class Wall(Energy):
        """Infinite on the right."""

        def forward(self, x: Any, z: Tensor) -> Tensor:
            return torch.where(z[..., 0] > 1, inf, z[..., 0] ** 2)

    solution = minimize(Clamped(Wall(), None, Real((2,))), Halving(), STARTS, steps=0)
    assert solution.value.tolist() == [0, inf]


def test_the_random_generator_is_the_callers() -> None:
    first, again = (
        minimize(BOWL, Wander(steps=9), STARTS, generator=torch.Generator().manual_seed(4)) for _ in range(2)
    )
    assert torch.equal(first.belief.mean, again.belief.mean)


class Shaped(Energy):
    """An energy by a function of the variable."""

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.of = of

    def forward(self, x: Any, z: Tensor) -> Tensor:
        value: Tensor = self.of(z)
        return value


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        (lambda z: z.square().sum(), r"Descent met an energy of shape \(\) where \(batch,\) is wanted"),
        (lambda z: z.square(), r"Descent met an energy of shape \(2, 2\) where \(batch,\) is wanted"),
        (lambda z: z.square().sum(0)[:1].expand(3), r"an energy has shape \(3,\) at a place of shape \(2, 2\)"),
        (lambda z: None, "an energy returned NoneType, where a tensor of real numbers is wanted, one per row"),
        (lambda z: 1.0, "an energy returned float, where"),
        (lambda z: (z.square() + 0j).sum(-1), "an energy returned a tensor of torch.complex128, where"),
        (lambda z: z.long().sum(-1), "an energy returned a tensor of torch.int64, where"),
        (lambda z: z.detach().square().sum(-1), "does not depend on its variable, or was cut off from it"),
        (lambda z: z.square().sum(-1) + inf, r"infinite everywhere Descent looked, in rows \[0, 1\]"),
    ],
)
def test_what_is_no_energy_is_refused_with_its_shape_or_value(of: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        minimize(Clamped(Shaped(of), None, Real((2,))), Descent(), STARTS)


def test_an_energy_that_falls_for_ever_is_refused() -> None:
    with pytest.raises(RunError, match=r"met an energy of -inf in rows \[1\]: it has no minimum there"):
        minimize(Clamped(Shaped(lambda z: -((z * 1e200).prod(-1) ** 3)), None, Real((2,))), Halving(steps=1), STARTS)
