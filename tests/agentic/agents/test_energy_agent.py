"""The energy agent: a batch is its rows, what it reports adds up, what it is told and what it learns takes effect."""

from math import nan
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
    Model,
    Point,
    Purpose,
    Sequence,
    Simplex,
    Softmax,
    Tick,
    UserError,
)
from agentic.agents.energy_agent import EnergyState
from agentic.engine import select
from agentic.testing.parts import AllPlans, BayesRule
from agentic.testing.worlds import Ladder
from agentic.tick import Native
from tests.agentic.standins import Absorbing, Bell, Descent, Finite, Levels, Linear, Look, SeenSquare, Toil

F64 = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


SEEN = torch.tensor([[0.9, 0.2], [0.1, 0.8]], dtype=F64)
MOVES = torch.tensor([[[1.0, 0.3], [0.2, 0.5]], [[0.0, 0.7], [0.8, 0.5]]], dtype=F64)
WANT = Purpose(Levels([0.0, -1.0]), 3, Look())


def finite(planner: Any, **more: Any) -> EnergyAgent:
    return EnergyAgent(Finite(SEEN, MOVES, [0.6, 0.4]), WANT, BayesRule(), planner, **more)


def linear(push: float = 0.5, **more: Any) -> EnergyAgent:
    model = Linear([[1.0, 0.3], [0.0, 0.9]], [[0.0], [push]], Q=[0.1, 0.1], R=[0.2], C=[[1.0, 0.0]])
    purpose = Purpose(SeenSquare([2.0]), 6, effort=Toil([3.0]))
    return EnergyAgent(model, purpose, Bell(), Descent(steps=50, tolerance=0.0), **more)


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
    return torch.randn(3, batch, 1, generator=seeded(1), dtype=F64)


AGENTS = {
    "finite": (finite(AllPlans()), discrete(4)),
    "linear": (linear(), continuous(4)),
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
            now = ExpectedEnergy(agent.model, decision.belief, Purpose(agent.purpose.goal, 1, Look()))
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


@pytest.mark.parametrize("seen", [[0.5, 0.4], [-0.1, 1.1], [0.0, 0.0], [1.0, 1.0], [nan, 1.0]])
def test_an_observation_that_is_no_distribution_is_one_sentence(seen: list[float]) -> None:
    agent = finite(AllPlans())
    with pytest.raises(UserError, match=r"modality 0 of an observation is \[.*\], expected probabilities"):
        agent.decide(agent.start(2, generator=seeded()), torch.tensor([[1.0, 0.0], seen]), generator=seeded())


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (2,)])
def test_an_observation_of_another_shape_is_one_sentence(shape: tuple[int, ...]) -> None:
    agent = finite(AllPlans())
    with pytest.raises(UserError, match=r"an observation of Finite has shape \(2, 2\)"):
        agent.decide(agent.start(2, generator=seeded()), torch.full(shape, 1 / shape[-1]), generator=seeded())


def test_the_precision_of_the_selection_weighs_the_plans() -> None:
    agent = finite(AllPlans(), selection=Softmax(1.5))
    decision = course(agent, discrete(2))[0]
    assert decision.policy is not None
    assert isinstance(decision.plan, Sequence)
    q = torch.softmax(-1.5 * decision.plan.values, 0)
    assert_close(decision.policy.mean[:, 0], q[:4].sum(0))
    assert_close(decision.energies["pragmatic"], (q * decision.plan.parts["pragmatic"]).sum(0))


class TestInformed:
    def test_of_another_goal_it_wants_that(self) -> None:
        agent, seen = AGENTS["finite"]
        first = course(agent, seen)[0]
        other = agent.informed(Change(goal=Levels([-1.0, 0.0])))
        changed = other.decide(first.state, seen[1], generator=seeded())
        fresh = finite(AllPlans()).informed(Change(goal=Levels([-1.0, 0.0])))
        expected = fresh.decide(EnergyState(first.state.prior), seen[1], generator=seeded())
        assert_close(changed.energies["expected_energy"], expected.energies["expected_energy"])
        assert_close(agent.purpose.goal(None, torch.eye(2)), torch.tensor([0.0, -1.0], dtype=F64))

    @pytest.mark.parametrize("name", ["finite", "linear"])
    def test_of_another_world_it_drops_what_it_derived_from_the_old_one(self, name: str) -> None:
        agent, seen = AGENTS[name]
        model: Model = linear(0.7).model
        if name == "finite":
            model = Finite(SEEN, MOVES.flip(-1), [0.6, 0.4])
        reported, state = agent.informed(Change(model=model)), course(agent, seen)[-1].state
        kept = reported.decide(state, seen[0], generator=seeded())
        without = reported.decide(EnergyState(state.prior), seen[0], generator=seeded())
        assert_close(kept.action, without.action)
        assert_close(kept.energies["expected_energy"], without.energies["expected_energy"])

    @pytest.mark.parametrize("change", [Change(goal="cheese"), Change(model="maze")])
    def test_of_anything_else_it_says_what_it_understands(self, change: Change) -> None:
        with pytest.raises(UserError, match="told of a Goal, a Model or an Environment, got str"):
            linear().informed(change)

    def test_an_announced_model_is_not_being_learned(self) -> None:
        model = Ladder()
        want = Purpose(Levels([1.0, 0.6, 1.0, 0.0]), 2)
        agent = EnergyAgent(model, want, BayesRule(), AllPlans(), learner=Absorbing(model))
        assert agent.informed(Change(model=Ladder())).learner is None
        assert agent.informed(Change(goal=Levels([0.0] * 4))).learner is agent.learner
        assert agent.informed(Change()).purpose is agent.purpose


def test_a_plan_has_the_version_of_the_model_it_was_derived_from() -> None:
    model = Ladder()
    agent = EnergyAgent(
        model, Purpose(Levels([1.0, 0.6, 1.0, 0.0]), 2), BayesRule(), AllPlans(), learner=Absorbing(model)
    )
    assert agent.learner is not None
    obs = torch.eye(4, dtype=F64)[:1]
    first = agent.decide(agent.start(1, generator=seeded()), obs, generator=seeded())
    flags, count = np.zeros(1, bool), np.zeros(1, np.int64)
    native = Native(obs.numpy(), first.action.numpy(), obs.numpy())
    agent.learner.update(Tick(obs, first.action, obs, np.zeros(1), flags, flags, ~flags, count, count, first, native))
    second = agent.decide(first.state, obs, generator=seeded())
    assert first.plan is not None
    assert second.plan is not None
    assert (model.version, first.plan.version, second.plan.version) == (1, 0, 1)


def test_a_belief_without_a_density_is_not_a_prior() -> None:
    agent = linear()
    with pytest.raises(UserError, match="perceiving needs a prior belief with a density, got Point"):
        agent.perceive(Point(torch.zeros(1, 2, dtype=F64)), torch.zeros(1, 1), seeded())


def test_perceiving_leaves_no_gradient_behind() -> None:
    decision = course(linear(), continuous(2))[0]
    assert isinstance(decision.belief, Gaussian)
    assert not decision.belief.mean.requires_grad
