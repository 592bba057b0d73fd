"""Descent: known steps, boxes, and what it does not descend in."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import Box, Clamped, ClosedForm, Energy, ExpectedEnergy, Minimizer, Purpose, Real, UserError, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import LogPreferences, QuadraticGoal
from agentic_energies.table import Table
from agentic_optimizers.gradient import Adam, GradientDescent

F64 = torch.float64
START = torch.tensor([[4.0, -2.0]], dtype=F64)
BOWL = Clamped(QuadraticGoal([1.0, 2.0], [1.0, 1.0]), None, Real((2,)))


class Open(Energy):
    """|x - tanh(W z)|^2 / 2 + |z|^2 / 2, left to autograd."""

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(weights)

    def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return 0.5 * ((x - torch.tanh(z @ self.weights.T)) ** 2).sum(-1) + 0.5 * (z**2).sum(-1)


class Closed(ClosedForm, Open):
    """The same with its gradient."""

    def gradient(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(z @ self.weights.T)
        return ((h - x) * (1 - h * h)) @ self.weights + z


def test_one_step_of_descent() -> None:
    after = minimize(BOWL, GradientDescent(rate=0.1), START, steps=1).belief.mean
    assert_close(after, START - 0.1 * torch.tensor([[3.0, -6.0]], dtype=F64))


def test_momentum_keeps_going() -> None:
    solver = GradientDescent(rate=0.1, momentum=0.5)
    one = minimize(BOWL, solver, START, steps=1).belief.mean
    two = minimize(BOWL, solver, START, steps=2).belief.mean
    assert_close(two, one - 0.1 * (0.5 * BOWL.gradient(START) + BOWL.gradient(one)))


def test_nesterov_looks_ahead() -> None:
    solver = GradientDescent(rate=0.1, momentum=0.5, nesterov=True)
    one = minimize(BOWL, solver, START, steps=1).belief.mean
    first, second = BOWL.gradient(START), BOWL.gradient(one)
    assert_close(one, START - 0.1 * 1.5 * first)
    two = minimize(BOWL, solver, START, steps=2).belief.mean
    assert_close(two, one - 0.1 * (second + 0.5 * (second + 0.5 * first)))


@pytest.mark.parametrize("kind", [GradientDescent, Adam])
def test_momentum_is_that_of_torch(kind: type[GradientDescent] | type[Adam]) -> None:
    more: dict[str, Any] = {"momentum": 0.8, "nesterov": True} if kind is GradientDescent else {}
    free = START.clone().requires_grad_()
    options: dict[str, Any] = {"lr": 0.02, **more}
    optimizer = torch.optim.SGD([free], **options) if kind is GradientDescent else torch.optim.Adam([free], **options)
    for _ in range(30):
        optimizer.zero_grad()
        torch.autograd.backward(BOWL(free).sum())
        optimizer.step()
    ours = minimize(BOWL, kind(rate=0.02, **more), START, steps=30).belief.mean
    assert_close(ours, free.detach(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("solver", [GradientDescent(rate=0.1, momentum=0.5), Adam()])
def test_stretches_end_where_single_steps_do(solver: GradientDescent | Adam) -> None:
    """Value and residual are looked at less often; what is reached, and what it cost, is the same."""
    single, long = (minimize(BOWL, replace(solver, check_every=n), START, steps=45) for n in (1, 20))
    assert_close(long.belief.mean, single.belief.mean, atol=1e-14, rtol=0)
    assert_close(long.trace, single.trace[[0, 20, 40, 45]])
    assert (long.steps, long.evaluations) == (single.steps, single.evaluations) == (45, 46)


def test_a_row_that_arrives_between_two_looks_is_frozen_at_the_next() -> None:
    start = torch.tensor([[1.0, 1.0], [4.0, -2.0]], dtype=F64)
    solution = minimize(BOWL, GradientDescent(rate=0.3, check_every=5), start, steps=500)
    assert solution.converged is not None
    assert solution.converged.tolist() == [True, True]
    assert solution.diagnostics["steps"].tolist() == [0, solution.steps]
    assert solution.steps % 5 == 0


class Counted(Energy):
    """A quadratic that counts how often it is evaluated."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Any, z: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return (z**2).sum(-1)


@pytest.mark.parametrize("check_every", [1, 20])
def test_one_evaluation_a_step(check_every: int) -> None:
    energy = Counted()
    minimize(Clamped(energy, None, Real((2,))), GradientDescent(rate=0.01, check_every=check_every), START, steps=50)
    assert energy.calls == 51


@pytest.mark.slow
@pytest.mark.timeout(600)  # compiling takes long on a busy machine
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("kind", "solver", "dtype"),
    [
        (Closed, GradientDescent(rate=0.03, momentum=0.3, check_every=5), F64),
        (Open, Adam(rate=0.03, check_every=3), torch.float32),
    ],
)
def test_compiled_is_eager_to_rounding(kind: type[Open], solver: GradientDescent | Adam, dtype: torch.dtype) -> None:
    """With a gradient in closed form and without; x may change from call to call."""
    draws = torch.Generator().manual_seed(100)
    energy, tolerance = kind(torch.randn(5, 3, generator=draws, dtype=dtype)), 1e-3 if dtype == torch.float32 else 1e-8
    for _ in range(2):
        x, z = (torch.randn(4, n, generator=draws, dtype=dtype) for n in (5, 3))
        f = Clamped(energy, x, Real((3,)))
        eager, fast = (minimize(f, replace(solver, compile=on), z, steps=15) for on in (False, True))
        assert_close(fast.belief.mean, eager.belief.mean, atol=tolerance, rtol=0)
        assert_close(fast.trace, eager.trace, atol=tolerance, rtol=tolerance)
        assert fast.belief.mean.dtype == dtype
        assert float((eager.belief.mean - z).abs().max()) > 0.05


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_torch_cannot_follow_is_an_error_and_not_slow() -> None:
    class Branching(Energy):
        """Which way it takes depends on numbers."""

        def forward(self, x: Any, z: torch.Tensor) -> torch.Tensor:
            return z.sum(-1) if bool((z > 0).all()) else (z**2).sum(-1)

    with pytest.raises(UserError, match=r"GradientDescent could not compile Clamped of Branching .* leave compile out"):
        minimize(Clamped(Branching(), None, Real((2,))), GradientDescent(compile=True), START)


def test_adams_first_step_has_the_length_of_its_rate() -> None:
    after = minimize(BOWL, Adam(rate=0.1), START, steps=1).belief.mean
    assert_close(after, START + torch.tensor([[-0.1, 0.1]], dtype=F64), atol=1e-8, rtol=0)


@pytest.mark.parametrize("solver", [GradientDescent(rate=0.3), GradientDescent(rate=0.1, momentum=0.5), Adam(rate=0.2)])
@given(st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=5)
def test_it_arrives(solver: Minimizer, seed: int) -> None:
    start = torch.randn(3, 2, generator=torch.Generator().manual_seed(seed), dtype=F64)
    solution = minimize(BOWL, solver, start, steps=400)
    assert_close(solution.belief.mean, torch.ones(3, 2, dtype=F64), atol=2e-3, rtol=0)


@given(st.floats(0.01, 0.9))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_plain_descent_never_rises_below_twice_the_inverse_curvature(rate: float) -> None:
    trace = minimize(BOWL, GradientDescent(rate=rate, check_every=1), START, steps=30).trace
    assert len(trace) > 3
    assert bool((trace.diff(dim=0) <= 1e-12).all())


def test_in_a_box_it_stops_at_the_wall() -> None:
    box = Box(torch.tensor([-1.0, -1.0]), torch.tensor([0.5, 5.0]))
    f = Clamped(QuadraticGoal([1.0, 2.0], [1.0, 1.0]), None, box)
    after = minimize(f, GradientDescent(rate=0.3), START, steps=100).belief.mean
    assert_close(after, torch.tensor([[0.5, 1.0]], dtype=F64), atol=1e-6, rtol=0)


def test_discrete_variables_are_not_for_it() -> None:
    table = Table.example()
    with pytest.raises(UserError, match="gradient descends in real vectors or boxes, got a simplex: use mirror"):
        minimize(Clamped(table, None, table.domain), GradientDescent())
    model = CategoricalModel.example()
    plans = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences.example(), 2))
    with pytest.raises(UserError, match="adam descends in real vectors or boxes, got a simplex"):
        minimize(plans, Adam())


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"steps": -1}, {"rate": float("nan")}, {"check_every": 0}])
@pytest.mark.parametrize("solver", [GradientDescent, Adam])
def test_numbers_at_the_door(solver: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="descent expects steps >= 0, rate > 0 and check_every >= 1"):
        solver(**wrong)


def test_fractions_at_the_door() -> None:
    with pytest.raises(UserError, match=r"momentum must lie in \[0, 1\), got 1.0"):
        GradientDescent(momentum=1.0)
