"""Courses at once: equal to one step after the other, with ends by model and goal, effort, discount, terminal."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from agentic import Box, ExpectedEnergy, LatentGoal, Purpose, Real, Simplex
from agentic.engine.belief import Particles, Point
from agentic.planning import Absorbing
from agentic.planning.expected_energy import Node
from agentic_energies.cost_to_go import CostToGoNetworks
from agentic_energies.ensemble import Ensemble
from agentic_energies.goals import Effort, PredictedReward, QuadraticGoal

F64 = torch.float64


class Gate(Absorbing, LatentGoal):
    """Away from 0 along the first latent; over, mostly, beyond 0.3, and then 2 nats a step."""

    after = 2.0

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return z[..., 0].square()

    def alive(self, z: Tensor) -> Tensor:
        return torch.where(z[..., 0] > 0.3, 0.25, 1.0).to(z.dtype)


@dataclass(frozen=True)
class StepByStep(ExpectedEnergy):
    """The expected energy as it is defined: one imagined step after the other."""

    def _at_once(self, node: Node, actions: Any) -> bool:
        return False


def taught(seed: int, **parameters: Any) -> Ensemble:
    """An ensemble of random weights, units and straight lines."""
    draws = torch.Generator().manual_seed(seed)
    action = parameters.pop("action", Real((2,)))
    model = Ensemble(Box(torch.full((3,), -2.0), torch.full((3,), 2.0)), action, members=4, hidden=(8, 5), **parameters)
    model.initialize(generator=draws)
    model = model.double()
    with torch.no_grad():
        for part in (
            model.transition.center,
            model.transition.shift,
            model.transition.linear,
            model.transition.own_linear,
        ):
            part.copy_(0.2 * torch.randn(part.shape, generator=draws, dtype=F64))
        if not model.transition.has_linear:
            model.transition.linear.zero_()
            model.transition.own_linear.zero_()
        for part in (model.transition.scale, model.transition.step):
            part.copy_(0.3 + torch.rand(part.shape, generator=draws, dtype=F64))
    return model


def energies(
    kind: type[ExpectedEnergy], model: Ensemble, purpose: Purpose, plan: Tensor, z: Tensor
) -> dict[str, Tensor]:
    return dict(kind(model, Point(z), purpose).terms(plan))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    memory=st.integers(0, 2),
    options=st.fixed_dictionaries({"reward": st.booleans(), "mortal": st.booleans(), "linear": st.booleans()}),
    discrete=st.booleans(),
    goal=st.sampled_from(["gate", "quadratic", "reward"]),
    discount=st.sampled_from([1.0, 0.9]),
)
def test_all_steps_at_once_are_one_step_after_the_other(
    seed: int, memory: int, options: dict[str, bool], discrete: bool, goal: str, discount: float
) -> None:
    action = Simplex((2,)) if discrete else Real((2,))
    model = taught(seed, memory=memory, action=action, **{**options, "reward": options["reward"] or goal == "reward"})
    draws = torch.Generator().manual_seed(seed)
    goals = {"gate": Gate(), "quadratic": QuadraticGoal([1.0, 2.0, 0.5]), "reward": PredictedReward(after=1.5)}
    terminal = CostToGoNetworks(members=2, hidden=(4,)).double()
    terminal.cover(torch.randn(9, model.latent.size, generator=draws, dtype=F64), -1.0, 5.0, generator=draws)
    terminal.after = 0.7
    effort = Effort(torch.eye(2, dtype=F64))
    purpose = Purpose(goals[goal], horizon=4, terminal=terminal, effort=effort, discount=discount)
    plan = model.action.draw(5 * 3 * 4, generator=draws).view(5, 3, 4, 2)
    z = 0.5 * torch.randn(3, model.latent.size, generator=draws, dtype=F64)
    whole, single = (energies(kind, model, purpose, plan, z) for kind in (ExpectedEnergy, StepByStep))
    assert whole.keys() == single.keys() == {"pragmatic", "effort", "terminal"}
    for name, part in whole.items():
        torch.testing.assert_close(part, single[name].expand_as(part), atol=1e-12, rtol=1e-12)


def test_gradients_go_through_whole_courses() -> None:
    model, z = taught(3), torch.zeros(2, 3, dtype=F64)
    plan = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(1), dtype=F64)
    purpose = Purpose(Gate(), horizon=3, terminal=QuadraticGoal([1.0, 1.0, 1.0]))
    slopes = [kind(model, Point(z), purpose).gradient(plan) for kind in (ExpectedEnergy, StepByStep)]
    torch.testing.assert_close(*slopes, atol=1e-12, rtol=1e-12)


def test_nothing_that_was_folded_outlives_what_it_was_made_of() -> None:
    model, z = taught(5), torch.zeros(2, 3, dtype=F64)
    purpose, plan = Purpose(Gate(), horizon=2), torch.ones(2, 2, 2, dtype=F64)

    @torch.no_grad()
    def same() -> bool:
        now = [kind(model, Point(z), purpose)(plan) for kind in (ExpectedEnergy, StepByStep)]
        return torch.allclose(now[0], now[1], atol=1e-12)

    assert same()
    with torch.no_grad():
        model.transition.scale.mul_(2)
    assert same()
    with torch.no_grad():
        model.transition.network.weights[1].add_(0.3)
    assert same()
    model.load_state_dict({name: part + 0.1 for name, part in taught(6).state_dict().items()}, assign=True)
    assert same()
    model.transition.own_linear = torch.nn.Parameter(model.transition.own_linear.detach() * 3)
    assert same()


@pytest.mark.parametrize("linear", [True, False])
def test_new_units_change_no_mean(linear: bool) -> None:
    draws = torch.Generator().manual_seed(0)
    model = taught(1, linear=linear, memory=1, reward=True)
    model.transition.taught.fill_(True)
    n = model.latent.size
    z, action = torch.randn(50, n, generator=draws, dtype=F64), torch.randn(50, 2, generator=draws, dtype=F64)
    change = 3 + torch.randn(50, 4, generator=draws, dtype=F64) * torch.tensor([1.0, 10.0, 0.01, 2.0], dtype=F64)
    particles = Particles(z.expand(4, 50, n), torch.full((4, 50), 0.25, dtype=F64).log())
    before, shared = model.predict(particles, action).mean, model.transition.shared(z, action)[0]
    limits = [part.clone() for part in (model.transition.low, model.transition.high)]
    model.transition.rescale(5 + 2 * z, action - 1, change)
    for part, limit in zip((model.transition.low, model.transition.high), limits, strict=True):
        part.copy_(limit)  # what experience says of those is another matter
    torch.testing.assert_close(model.predict(particles, action).mean, before, atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(model.transition.shared(z, action)[0], shared, atol=1e-10, rtol=1e-10)


def test_what_never_changed_does_not_explode_and_no_reward_goes_beyond_those_paid() -> None:
    draws = torch.Generator().manual_seed(0)
    model = Ensemble(Real((3,)), Real((1,)), members=3, hidden=(8,), reward=True).double()
    model.initialize(generator=draws)
    z = torch.randn(60, 4, generator=draws, dtype=F64)
    z[:, 1] = 0.0  # a contact that was never made
    action, change = torch.randn(60, 1, generator=draws, dtype=F64), torch.randn(60, 4, generator=draws, dtype=F64)
    change[:, 1] = 0.0
    model.transition.rescale(z, action, change)
    far = torch.full((3, 1, 5, 4), 1.0, dtype=F64)
    course = model.course(far, 100 * torch.randn(20, 1, 5, 1, generator=draws, dtype=F64))
    assert bool(course.isfinite().all())
    assert float(course[..., 1].detach().abs().max()) < 2
    paid = course[..., 3]
    assert bool(((paid >= change[:, 3].min()) & (paid <= change[:, 3].max())).all())
    seen = torch.cat([z[:, 0], z[:, 0] + change[:, 0]])
    assert float(course[..., 0].detach().max()) <= float(2 * seen.max() - seen.min()) + 1e-2


@torch.no_grad()
def test_new_scales_change_no_energy_to_come() -> None:
    draws, goal = torch.Generator().manual_seed(2), CostToGoNetworks().double()
    z = torch.randn(40, 3, generator=draws, dtype=F64)
    assert torch.equal(goal(None, z), torch.zeros(40, dtype=F64))  # nothing is known yet
    goal.cover(z, -10.0, 30.0, generator=draws)
    before = goal(None, z)
    assert -10 <= float(before.min()) < float(before.max()) <= 30 + 40  # doubt comes on top
    goal.cover(1 + 2 * z, -10.0, 30.0, generator=draws)
    torch.testing.assert_close(goal(None, z), before, atol=1e-12, rtol=1e-12)
