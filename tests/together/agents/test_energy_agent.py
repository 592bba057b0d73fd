"""The energy agent of built-in parts: rows are independent, reports add up, what it is told and learns takes effect."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Change,
    Decision,
    EnergyAgent,
    ExpectedEnergy,
    Gaussian,
    Point,
    Purpose,
    Sequence,
    Simplex,
    Softmax,
    Tick,
    UserError,
    minimize,
)
from agentic.agents.energy_agent import EnergyState
from agentic.engine import select
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.backups import Max
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.feedback_plan import AffineFeedback
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.newton import Newton
from agentic_optimizers.riccati import Riccati
from agentic_optimizers.tree import TreeSearch

F64 = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def finite(planner: Any, **more: Any) -> EnergyAgent:
    model = CategoricalModel.example()
    return EnergyAgent(model, Purpose(LogPreferences([[0.0, 1.0]]), 3, SummedGain()), Mirror(), planner, **more)


def linear(push: float = 0.5, **more: Any) -> EnergyAgent:
    model = LinearGaussian([[1.0, 0.3], [0.0, 0.9]], [[0.0], [push]], Q=[0.1, 0.1], R=[0.2], C=[[1.0, 0.0]])
    purpose = Purpose(QuadraticGoal([2.0]), 6, effort=Effort([0.3]))
    return EnergyAgent(model, purpose, Newton(), Riccati(), **more)


def course(agent: EnergyAgent, seen: Tensor) -> list[Decision]:
    """The decisions on a series of observations (steps, b, *event)."""
    state, decisions = agent.start(seen.shape[1], generator=seeded()), []
    for obs in seen:
        decisions.append(agent.decide(state, obs, generator=seeded()))
        state = decisions[-1].state
    return decisions


def discrete(batch: int) -> Tensor:
    return torch.stack([Simplex((2,)).draw(batch, generator=seeded(t)) for t in range(5)])


def continuous(batch: int) -> Tensor:
    return torch.randn(5, batch, 1, generator=seeded(1), dtype=F64)


AGENTS = {
    "enumerate": (finite(Enumerate()), discrete(4)),
    "tree": (finite(TreeSearch(Max())), discrete(4)),
    "riccati": (linear(), continuous(4)),
}


@pytest.mark.parametrize("name", AGENTS)
class TestEvery:
    def test_a_batch_of_four_is_four_singles(self, name: str) -> None:
        agent, seen = AGENTS[name]
        together = course(agent, seen)
        for row in range(4):
            for both, alone in zip(together, course(agent, seen[:, [row]]), strict=True):
                assert_close(both.action[[row]], alone.action)
                assert both.belief is not None
                assert alone.belief is not None
                assert_close(both.belief.mean[[row]], alone.belief.mean)
                for term, value in alone.energies.items():
                    assert_close(both.energies[term][[row]], value)

    def test_what_it_reports_adds_up(self, name: str) -> None:
        for decision in course(*AGENTS[name]):
            terms = decision.energies
            assert_close(terms["free_energy"], terms["complexity"] - terms["accuracy"])
            parts = {key: terms[key] for key in ("pragmatic", "state_gain", "effort") if key in terms}
            assert_close(terms["expected_energy"], ExpectedEnergy.total(parts))
            assert all(value.shape == (4,) for value in terms.values())

    def test_of_the_present_step_it_reports_risk_and_ambiguity(self, name: str) -> None:
        agent, seen = AGENTS[name]
        for decision in course(agent, seen):
            assert decision.belief is not None
            now = ExpectedEnergy(agent.model, decision.belief, Purpose(agent.purpose.goal, 1, SummedGain()))
            one = now.terms(decision.action.unsqueeze(1).to(F64))
            log_z = agent.purpose.goal.log_normalizer(None)
            assert log_z is not None
            expected = one["pragmatic"] - one["state_gain"] + log_z
            assert_close(decision.energies["risk"] + decision.energies["ambiguity"], expected)

    def test_what_it_remembers_is_the_predicted_belief(self, name: str) -> None:
        agent, seen = AGENTS[name]
        for decision in course(agent, seen):
            assert isinstance(decision.state, EnergyState)
            assert decision.belief is not None
            assert_close(decision.state.prior.mean, agent.model.predict(decision.belief, decision.action).mean)

    def test_a_new_episode_begins_at_the_prior(self, name: str) -> None:
        agent, seen = AGENTS[name]
        state, mask = course(agent, seen)[-1].state, torch.tensor([True, False, True, False])
        mixed = select(mask, agent.start(4, generator=seeded()), state)
        expected = torch.where(mask.unsqueeze(-1), agent.model.begin(4).mean, state.prior.mean)
        assert_close(mixed.prior.mean, expected)
        again = agent.decide(mixed, seen[0], generator=seeded())
        fresh = agent.decide(agent.start(4, generator=seeded()), seen[0], generator=seeded())
        assert_close(again.action[mask], fresh.action[mask])


def test_the_precision_of_the_selection_weighs_the_plans() -> None:
    agent = finite(Enumerate(), selection=Softmax(1.5))
    decision = course(agent, discrete(2))[0]
    assert decision.policy is not None
    assert isinstance(decision.plan, Sequence)
    q = torch.softmax(-1.5 * decision.plan.values, 0)
    assert_close(decision.policy.mean[:, 0], q[:4].sum(0))
    assert_close(decision.energies["pragmatic"], (q * decision.plan.parts["pragmatic"]).sum(0))


class TestInformed:
    def test_of_another_goal_it_wants_that(self) -> None:
        agent, seen = AGENTS["tree"]
        first = course(agent, seen)[0]
        other = agent.informed(Change(goal=LogPreferences([[1.0, 0.0]])))
        changed = other.decide(first.state, seen[1], generator=seeded())
        fresh = finite(TreeSearch(Max())).informed(Change(goal=LogPreferences([[1.0, 0.0]])))
        expected = fresh.decide(EnergyState(first.state.prior), seen[1], generator=seeded())
        assert_close(changed.energies["expected_energy"], expected.energies["expected_energy"])
        assert_close(agent.purpose.goal(None, torch.eye(2)), torch.tensor([0.0, -1.0], dtype=F64))

    @pytest.mark.parametrize("name", ["tree", "riccati"])
    def test_of_another_world_it_drops_what_it_derived_from_the_old_one(self, name: str) -> None:
        agent, seen = AGENTS[name]
        model = linear(2.0).model
        if name == "tree":
            example = CategoricalModel.example()
            model = CategoricalModel([example.likelihood()], [example.dynamics().flip(-1)], [[0.6, 0.4]])
        message, state = agent.informed(Change(model=model)), course(agent, seen)[-1].state
        kept = message.decide(state, seen[0], generator=seeded())
        without = message.decide(EnergyState(state.prior), seen[0], generator=seeded())
        assert_close(kept.action, without.action)
        assert_close(kept.energies["expected_energy"], without.energies["expected_energy"])

    def test_an_announced_model_is_not_being_learned(self) -> None:
        model = LinearGaussian.learned(linear().model.outcome, linear().model.action)
        agent = EnergyAgent(model, linear().purpose, Newton(), Riccati(), learner=ConjugateLearner(model))
        assert agent.informed(Change(model=linear().model)).learner is None
        assert agent.informed(Change(goal=QuadraticGoal([1.0]))).learner is agent.learner
        assert agent.informed(Change()).purpose is agent.purpose


def tick(decision: Decision, obs: Tensor, next_obs: Tensor) -> Tick:
    rows = len(obs)
    flags = np.zeros(rows, bool)
    count = np.zeros(rows, np.int64)
    native = Native(obs.numpy(), decision.action.numpy(), next_obs.numpy())
    return Tick(obs, decision.action, next_obs, np.zeros(rows), flags, flags, ~flags, count, count, decision, native)


def test_learning_makes_the_old_law_obsolete() -> None:
    given = linear().model
    model = LinearGaussian.learned(given.latent, given.action)
    purpose = Purpose(QuadraticGoal([2.0, 0.1]), 6, effort=Effort([0.3]))
    agent = EnergyAgent(model, purpose, Newton(), Riccati(), learner=ConjugateLearner(model))
    assert agent.learner is not None
    obs = torch.tensor([[1.0, -1.0]], dtype=F64)
    first = agent.decide(agent.start(1, generator=seeded()), obs, generator=seeded())
    assert isinstance(first.plan, AffineFeedback)
    pushed = Decision(torch.ones(1, 1, dtype=F64), belief=first.belief)
    agent.learner.update(tick(pushed, obs, torch.tensor([[3.0, 2.0]], dtype=F64)))
    assert (model.version, first.plan.version) == (1, 0)
    second = agent.decide(first.state, obs, generator=seeded())
    assert isinstance(second.plan, AffineFeedback)
    assert second.plan.version == 1
    fresh = minimize(ExpectedEnergy(model, second.plan.start, purpose), Riccati()).belief
    assert isinstance(fresh, AffineFeedback)
    assert_close(second.plan.gains, fresh.gains)
    assert not torch.allclose(second.plan.gains, first.plan.gains)
    third = agent.decide(second.state, obs, generator=seeded())
    assert isinstance(third.plan, AffineFeedback)
    assert third.plan.memory[2] is second.plan.memory[2], "nothing was learned, so that the law still stands"


def test_a_belief_without_a_density_is_not_a_prior() -> None:
    agent = linear()
    with pytest.raises(UserError, match="perceiving needs a prior belief with a density, got Point"):
        agent.perceive(Point(torch.zeros(1, 2, dtype=F64)), torch.zeros(1, 1), seeded())


def test_perceiving_leaves_no_gradient_behind() -> None:
    decision = course(linear(), continuous(2))[0]
    assert isinstance(decision.belief, Gaussian)
    assert not decision.belief.mean.requires_grad
