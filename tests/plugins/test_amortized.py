"""Amortized settling: the encoder's start, then the inner solver's steps and answer."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Encoder, Energy, EnergyAgent, Evidence, Gaussian, Purpose, Real, UserError, minimize
from agentic.testing.trolley import Trolley
from agentic_energies.goals import QuadraticGoal
from agentic_optimizers.amortized import Amortized
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.langevin import Langevin
from agentic_optimizers.newton import Newton

F64 = torch.float64


class Encoded(Energy, Encoder):
    """|z - x|^2, and a guess of z that is half of what it should be."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return (z - x).square().sum(-1)

    def start(self, x: Tensor) -> Tensor:
        return x / 2


X = torch.tensor([[2.0, -4.0], [1.0, 0.0]], dtype=F64)
F = Clamped(Encoded(), X, Real((2,)))
ELSEWHERE = torch.full((2, 2), 7.0, dtype=F64)


@pytest.mark.parametrize("z", [None, ELSEWHERE])
def test_it_starts_where_the_encoder_says(z: Tensor | None) -> None:
    solution = minimize(F, Amortized(steps=0), z)
    assert_close(solution.belief.mean, X / 2)
    assert_close(solution.value, torch.tensor([5.0, 0.25], dtype=F64))


def test_other_solvers_start_there_only_where_nothing_else_is_given() -> None:
    assert_close(minimize(F, GradientDescent(), steps=0).belief.mean, X / 2)
    assert_close(minimize(F, GradientDescent(), ELSEWHERE, steps=0).belief.mean, ELSEWHERE)


def test_it_takes_the_inner_solvers_steps() -> None:
    inner = GradientDescent(rate=0.1, check_every=1)
    amortized, alone = minimize(F, Amortized(inner, steps=3), ELSEWHERE), minimize(F, inner, X / 2, steps=3)
    assert_close(amortized.belief.mean, alone.belief.mean)
    assert_close(amortized.trace, alone.trace)
    assert (amortized.steps, amortized.evaluations) == (3, 4)
    assert amortized.diagnostics["steps"].tolist() == [3, 3]


def test_belief_kind_and_tolerance_are_the_inner_solvers() -> None:
    solution = minimize(F, Amortized(Newton(tolerance=1e-3), steps=5))
    assert solution.kind == "free_energy"
    assert isinstance(solution.belief, Gaussian)
    assert_close(solution.belief.covariance, 0.5 * torch.eye(2, dtype=F64).expand(2, 2, 2))
    assert Amortized(Newton(tolerance=1e-3)).tolerance == 1e-3


def test_a_sum_starts_where_one_of_its_parts_says() -> None:
    class Elsewhere(Encoded):
        """A part that has a start of its own, but comes second."""

        def start(self, x: Any) -> Tensor:
            return ELSEWHERE

    f = Clamped(QuadraticGoal([1.0, 1.0]) + 2 * Encoded() + Elsewhere(), X, Real((2,)))
    assert_close(minimize(f, Amortized(steps=0)).belief.mean, X / 2)


def test_an_agent_starts_where_the_encoder_of_its_model_says() -> None:
    model, obs = Trolley(), torch.tensor([[0.5, -1.0]], dtype=F64)
    assert_close(minimize(Evidence(model, obs, model.begin(1)), Amortized(steps=0), ELSEWHERE).belief.mean, obs)
    agent = EnergyAgent(model, Purpose(QuadraticGoal([1.0, 1.0])), Amortized(Newton(), steps=1), GradientDescent())
    source = torch.Generator().manual_seed(0)
    decision = agent.decide(agent.start(1, generator=source), obs, generator=source)
    assert decision.belief is not None
    assert_close(decision.belief.mean, obs / 1.01)  # precision 100 against the prior's 1


def test_doors() -> None:
    bowl = Clamped(QuadraticGoal([1.0]), None, Real((1,)))
    with pytest.raises(
        UserError, match=r"amortized needs an energy or a model that is an Encoder.*Clamped of QuadraticGoal"
    ):
        minimize(bowl, Amortized())
    with pytest.raises(UserError, match="amortized takes a solver that converges as inner, got Langevin"):
        Amortized(Langevin())
    with pytest.raises(UserError, match="amortized expects steps >= 0, got -1"):
        Amortized(steps=-1)
