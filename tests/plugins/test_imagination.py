"""Learning in imagination: what it refuses, few courses for many members, ends and dtypes, changed goals."""

from typing import Any

import pytest
import torch

from agentic import Experiment, Schedule, UserError, build, load, make, run
from agentic.agents.agent import Change
from agentic_energies.cost_to_go import CostToGoNetworks
from agentic_energies.ensemble import Ensemble
from agentic_energies.goals import QuadraticGoal
from agentic_optimizers.evolution import Evolution
from agentic_optimizers.gradient_learner import GradientLearner
from agentic_optimizers.imagination import Imagination

SHORT = {"name": "imagination", "first": 20, "every": 20, "updates": 5, "sweeps": 2, "starts": 16, "options": 2}


def learned(*settings: str, learner: dict[str, Any] | None = None, **tables: Any) -> Any:
    """An agent for a pendulum that has learned a little, by the tables of the example."""
    base: dict[str, Any] = {
        "env": {"id": "Pendulum-v1"},
        "agent": {"name": "energy"},
        "model": {"name": "ensemble", "members": 3, "hidden": [8]},
        "goal": {"name": "documented"},
        "inference": {"name": "newton", "steps": 1},
        "planner": {"name": "evolution", "horizon": 3, "discount": 0.9, "terminal": {"name": "cost_to_go"}},
        "learner": SHORT | (learner or {}),
    }
    built = build(Experiment.of(base | tables, settings), load())
    run(built.agent, built.environment, Schedule(0, 45, 30), seed=0)
    return built.agent


def test_few_courses_are_enough_for_many_members() -> None:
    agent = learned(learner={"starts": 1, "options": 1})
    assert agent.learner.model.version == 2


@pytest.mark.parametrize("settings", [("run.dtype=float64",), ("run.dtype=float64", "model.mortal=true")])
def test_experience_comes_in_the_dtype_of_the_model(settings: tuple[str, ...]) -> None:
    agent = learned(*settings)
    assert agent.model.version == 2
    assert all(bool(part.isfinite().all()) for part in agent.model.parameters())


def test_ends_that_were_learned_stay_where_they_are_when_units_change() -> None:
    agent = learned("model.mortal=true")
    model, draw = agent.model, torch.Generator().manual_seed(3)
    places = torch.randn(50, 3, generator=draw)
    before = model.alive(places).detach()
    replay = agent.learner.fitting.replay
    with torch.no_grad():
        model.transition.center.add_(0.5)  # as if other experience had set the units of the networks
        model.transition.scale.mul_(2.0)
        held = model.alive(places)
    model.dataset(replay, generator=draw)
    after = model.alive(places)
    torch.testing.assert_close(after, held, atol=1e-5, rtol=1e-5)
    assert float((before - held).abs().max()) > 1e-4, "units that nothing takes up would show"


def test_what_is_to_come_was_learned_for_one_goal() -> None:
    agent = learned()
    with pytest.raises(UserError, match=r"was not learned for .*: plan without it"):
        agent.informed(Change(goal=QuadraticGoal(torch.ones(3))))


def test_what_was_taught_is_loaded_into_one_that_was_not() -> None:
    taught = learned().purpose.terminal
    places = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    fresh = CostToGoNetworks()
    fresh.load_state_dict(taught.state_dict())
    assert torch.equal(fresh(None, places), taught(None, places))
    assert float(taught(None, places).detach().abs().max()) > 0
    with pytest.raises(RuntimeError, match="size mismatch"):
        CostToGoNetworks(members=2).load_state_dict(taught.state_dict())
    untaught = CostToGoNetworks()
    untaught.load_state_dict(CostToGoNetworks().state_dict())
    assert untaught.network is None


def test_one_network_has_a_slope_where_all_agree() -> None:
    goal = CostToGoNetworks(members=1, hidden=(4,))
    goal.cover(torch.eye(2), 0.0, 10.0, generator=torch.Generator().manual_seed(0))
    z = torch.zeros(1, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(goal(None, z).sum(), z)
    assert bool(slope.isfinite().all())
    assert float(slope.abs().max()) > 0


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda model: Imagination(model, first=-3), "expected first, sweeps, starts and options of at least 1"),
        (lambda model: Imagination(model, weight_decay=-1.0), "weight_decay >= 0"),
        (lambda model: GradientLearner(model, rate=float("inf")), "finite rate > 0"),
        (lambda model: Evolution(hold=4), "leave out hold and color"),
        (lambda model: Evolution(spread=1.0), "spread < 1"),
    ],
)
def test_what_makes_no_sense_is_refused(made: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        made(Ensemble.from_env(make("Pendulum-v1")))
