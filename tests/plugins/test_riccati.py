"""Riccati: the expected energy of a feedback law is what the closed loop costs."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import (
    CertaintyEquivalentEnergy,
    Clamped,
    EnergyAgent,
    ExpectedEnergy,
    Gaussian,
    Goal,
    Purpose,
    Real,
    Simplex,
    UserError,
    minimize,
)
from agentic_energies.gains import SummedGain
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal, QuadraticLatentGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.feedback_plan import AffineFeedback
from agentic_optimizers.newton import Newton
from agentic_optimizers.riccati import Riccati

F64 = torch.float64
MODEL = LinearGaussian(
    [[1.0, 0.3], [-0.1, 0.9]],
    [[0.0], [0.5]],
    Q=[[0.05, 0.01], [0.01, 0.08]],
    R=[0.2],
    C=[[1.0, 0.5]],
    c=[0.1, -0.2],
    d=[0.3],
)
BELIEF = Gaussian(torch.tensor([[1.0, -0.5]], dtype=F64), torch.tensor([[[0.4, 0.1], [0.1, 0.3]]], dtype=F64))
SEEN = Purpose(QuadraticGoal([2.0], [0.5]), 5, None, Effort([0.5], [0.2]), QuadraticGoal([3.0], [-0.3]), 0.9)
HIDDEN = replace(
    SEEN,
    goal=QuadraticLatentGoal([[1.0, 0.3], [0.3, 0.5]], [0.5, -1.0]),
    terminal=QuadraticLatentGoal([2.0, 0.0], [0.0, 1.0]),
)


def solved(f: ExpectedEnergy, start: Any = None) -> AffineFeedback:
    plan = minimize(f, Riccati(), start).belief
    assert isinstance(plan, AffineFeedback)
    return plan


def draw(covariance: Tensor, runs: int, generator: torch.Generator) -> Tensor:
    root = torch.linalg.cholesky(covariance)
    noise: Tensor = torch.randn(runs, len(covariance), generator=generator, dtype=F64) @ root.T
    return noise


def simulated(plan: AffineFeedback, purpose: Purpose, runs: int = 20_000) -> dict[str, Tensor]:
    """What each of many closed loops costs, by term: the world drawn, the belief filtered, the feedback followed."""
    draws, system = torch.Generator().manual_seed(7), MODEL.system()
    mean, spread = BELIEF.mean.expand(runs, 2), BELIEF.covariance[0]
    z = mean + draw(spread, runs, draws)
    costs = {name: torch.zeros(runs, dtype=F64) for name in ("pragmatic", "effort", "terminal")}
    assert purpose.effort is not None
    assert purpose.terminal is not None

    def paid(goal: Goal) -> Tensor:
        """The goal of what is, or of what another look at it would show."""
        if isinstance(goal, QuadraticLatentGoal):
            return goal(None, z)
        return goal(None, z @ system.C.T + system.d + draw(system.R, runs, draws))

    for t in range(purpose.horizon):
        action = plan.act(Gaussian(mean, spread.expand(runs, 2, 2)), t).mean
        z = z @ system.A.T + action @ system.B.T + system.c + draw(system.Q, runs, draws)
        costs["effort"] += purpose.discount**t * purpose.effort(None, action)
        costs["pragmatic"] += purpose.discount**t * paid(purpose.goal)
        obs = z @ system.C.T + system.d + draw(system.R, runs, draws)
        ahead, spread = mean @ system.A.T + action @ system.B.T + system.c, system.A @ spread @ system.A.T + system.Q
        gain = spread @ system.C.T @ torch.linalg.inv(system.C @ spread @ system.C.T + system.R)
        mean = ahead + (obs - ahead @ system.C.T - system.d) @ gain.T
        spread = spread - gain @ system.C @ spread
    costs["terminal"] += purpose.discount**purpose.horizon * paid(purpose.terminal)
    return costs


@pytest.mark.parametrize("purpose", [SEEN, HIDDEN], ids=["observed", "latent"])
class TestClosedLoop:
    def test_every_term_is_what_simulated_loops_pay(self, purpose: Purpose) -> None:
        plan = solved(ExpectedEnergy(MODEL, BELIEF, purpose))
        parts, costs = plan.terms(), simulated(plan, purpose)
        for name, paid in costs.items():
            error = float(paid.std()) / len(paid) ** 0.5
            assert float(parts[name]) == pytest.approx(float(paid.mean()), abs=3 * error), name
        total = torch.stack(list(costs.values())).sum(0)
        error = float(total.std()) / len(total) ** 0.5
        value = float(minimize(ExpectedEnergy(MODEL, BELIEF, purpose), Riccati()).value)
        assert value == pytest.approx(float(total.mean()), abs=3 * error)

    def test_another_law_costs_more(self, purpose: Purpose) -> None:
        """Followed along the mean course, where nothing is uncertain, the actions cannot be improved upon."""
        f = CertaintyEquivalentEnergy(MODEL, BELIEF, purpose)
        plan, z, actions = solved(f), BELIEF.mean, []
        for t in range(purpose.horizon):
            actions.append(z @ plan.gains[t].T + plan.offsets[t])
            z = MODEL.transition.mean(z, actions[-1])
        course = torch.stack(actions, 1)
        assert_close(f(course), minimize(f, Riccati()).value)
        assert float(f.gradient(course).abs().max()) < 1e-9

    def test_uncertainty_costs_and_changes_no_action(self, purpose: Purpose) -> None:
        sure, unsure = (kind(MODEL, BELIEF, purpose) for kind in (CertaintyEquivalentEnergy, ExpectedEnergy))
        assert_close(solved(sure).gains, solved(unsure).gains)
        assert float(minimize(unsure, Riccati()).value) > float(minimize(sure, Riccati()).value)

    def test_a_batch_is_its_rows(self, purpose: Purpose) -> None:
        means = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 1.0]], dtype=F64)
        covariances = torch.stack([k * torch.eye(2, dtype=F64) for k in (0.1, 1.0, 2.0)])
        together = minimize(ExpectedEnergy(MODEL, Gaussian(means, covariances), purpose), Riccati()).value
        for row in range(3):
            alone = ExpectedEnergy(MODEL, Gaussian(means[[row]], covariances[[row]]), purpose)
            assert_close(minimize(alone, Riccati()).value, together[[row]])


class TestReuse:
    f = ExpectedEnergy(MODEL, BELIEF, SEEN)

    def test_a_reused_law_answers_as_a_fresh_one(self) -> None:
        first = solved(self.f)
        for belief in (Gaussian(2 * BELIEF.mean, BELIEF.covariance), Gaussian(BELIEF.mean, 3 * BELIEF.covariance)):
            again, fresh = solved(self.f.at(belief), first), solved(self.f.at(belief))
            assert again.memory[2] is first.memory[2]
            for name, part in fresh.parts.items():
                assert_close(again.parts[name], part)

    def test_what_uncertainty_adds_is_left_behind_by_a_certain_objective(self) -> None:
        certain = CertaintyEquivalentEnergy(MODEL, BELIEF, SEEN)
        after = minimize(certain, Riccati(), solved(self.f)).value
        assert_close(after, minimize(certain, Riccati()).value)

    def test_another_model_or_purpose_is_not_the_same_law(self) -> None:
        first = solved(self.f)
        stronger = LinearGaussian(MODEL.system().A, [[0.0], [2.0]], Q=[0.1, 0.1], R=[0.2], C=[[1.0, 0.5]])
        for other in (ExpectedEnergy(stronger, BELIEF, SEEN), ExpectedEnergy(MODEL, BELIEF, HIDDEN)):
            assert_close(solved(other, first).gains, solved(other).gains)

    def test_a_goal_that_was_written_to_is_another(self) -> None:
        f = deepcopy(self.f)
        first, goal = solved(f), f.purpose.goal
        assert isinstance(goal, QuadraticGoal)
        goal.weights = nn.Buffer(4 * goal.weights)
        assert_close(solved(f, first).gains, solved(f).gains)
        assert not torch.allclose(solved(f, first).gains, first.gains)


def test_discrete_actions_are_relaxed_and_projected() -> None:
    """Two pushes, left and right: the law is over real vectors, what is executed is one of the two."""
    model = LinearGaussian([[1.0]], [[-1.0, 1.0]], Q=[0.01], R=[0.01], action=Simplex((2,)))
    purpose = Purpose(QuadraticGoal([1.0]), 5, effort=Effort([0.1, 0.1], [0.5, 0.5]))
    agent = EnergyAgent(model, purpose, Newton(), Riccati())
    draws = torch.Generator().manual_seed(0)
    decision = agent.decide(agent.start(2, generator=draws), torch.tensor([[2.0], [-2.0]]), generator=draws)
    assert decision.action.tolist() == [[1, 0], [0, 1]]
    assert decision.policy is not None
    assert bool((decision.policy.mean.abs() > 1).any())


class TestDoors:
    def f(self, purpose: Purpose, model: LinearGaussian = MODEL) -> ExpectedEnergy:
        return ExpectedEnergy(model, BELIEF, purpose)

    def test_without_effort_an_unbounded_action_has_no_best(self) -> None:
        idle = LinearGaussian(MODEL.system().A, [[0.0], [0.0]], Q=[0.1, 0.1], R=[0.1, 0.1])
        goal = QuadraticGoal([1.0, 1.0])
        with pytest.raises(
            UserError, match="riccati needs an effort on every action the goal does not bound: set effor"
        ):
            minimize(self.f(Purpose(goal, 2), idle), Riccati())
        assert bool((solved(self.f(Purpose(goal, 2, effort=Effort([0.1])), idle)).gains == 0).all())

    def test_without_effort_where_the_goal_bounds_it_there_is_one(self) -> None:
        full = LinearGaussian(MODEL.system().A, [[0.0], [0.5]], Q=[0.1, 0.1], R=[0.1, 0.1])
        assert solved(self.f(Purpose(QuadraticGoal([1.0, 1.0]), 3), full)).gains.shape == (3, 1, 2)

    def test_information_gain_is_refused(self) -> None:
        with pytest.raises(UserError, match="riccati plans without information gain: leave out gain, or plan with cem"):
            minimize(self.f(replace(SEEN, gain=SummedGain())), Riccati())

    def test_goals_must_be_quadratic(self) -> None:
        with pytest.raises(
            UserError, match="riccati needs quadratic goals over latents or observations, got logprefer"
        ):
            minimize(self.f(Purpose(LogPreferences([[1.0]]), 2, effort=Effort([1.0]))), Riccati())
        with pytest.raises(UserError, match="riccati needs quadratic goals over latents or observations, got effort"):
            minimize(self.f(Purpose(Effort([1.0]), 2, effort=Effort([1.0]))), Riccati())

    def test_models_must_be_linear(self) -> None:
        with pytest.raises(
            UserError, match="riccati needs the expected energy of a linear-Gaussian model, got NoneType"
        ):
            minimize(Clamped(QuadraticGoal([1.0]), None, Real((1,))), Riccati())
