"""What was learned counts as known once learning ends, where that is asked for."""

from typing import Any

import numpy as np
import pytest
import torch

from agentic import EnergyAgent, ExpectedEnergy, Learner, Minimizer, Model, Plan, Purpose, Schedule, make, minimize, run
from agentic.runs import Progress
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_envs.tmaze import TMaze
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.episode_learner import EpisodeLearner
from agentic_optimizers.exact import Exact
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.value_iteration import ValueIteration

EVERY = [SummedGain("both"), SummedGain("both", by="update"), SummedGain("weights")]


def schooled(learner: Any, gain: Any, **options: Any) -> EnergyAgent:
    truth = make(TMaze()).factored_truth()
    model = CategoricalModel(B=truth["B"], D=truth["D"], counts=[0.5 + np.asarray(each) for each in truth["A"]])
    purpose = Purpose(LogPreferences([[0.0] * 5, [0.0, 2.0, -3.0]]), 1, gain)
    return EnergyAgent(model, purpose, Exact(), Enumerate(), learner=learner(model, **options))


def gained(agent: EnergyAgent) -> dict[str, set[str]]:
    """The names of the gains of a short run's decisions, by phase."""
    found: dict[str, set[str]] = {"learn": set(), "evaluate": set()}

    def see(progress: Progress) -> None:
        found[progress.phase] |= {name for name in progress.tick.decision.energies if name.endswith("gain")}

    run(agent, make(TMaze()), Schedule(episodes=2, learn_steps=8), observer=see)
    return found


@pytest.mark.parametrize("gain", EVERY, ids=str)
@pytest.mark.parametrize("learner", [ConjugateLearner, EpisodeLearner])
def test_who_learns_no_more_looks_for_states_alone(learner: Any, gain: Any) -> None:
    states = {"state_gain"} if gain.target == "both" else set()
    agent = schooled(learner, gain, settles=True)
    assert gained(agent) == {"learn": {*states, "parameter_gain"}, "evaluate": states}
    assert gained(agent)["learn"] == {*states, "parameter_gain"}  # it learns again
    assert not agent.sealed().model.training


def test_by_default_nothing_is_settled() -> None:
    agent = schooled(ConjugateLearner, SummedGain("both"))
    assert gained(agent)["evaluate"] == {"state_gain", "parameter_gain"}
    assert isinstance(agent.model, Model)
    version = agent.model.version
    assert isinstance(agent.learner, Learner)
    agent.learner.finish()
    assert (agent.model.training, agent.model.version) == (True, version)


@pytest.mark.parametrize("planner", [Enumerate(), TreeSearch(), ValueIteration()], ids=lambda each: type(each).__name__)
def test_a_model_that_a_script_settles_is_planned_anew(planner: Minimizer) -> None:
    """`model.eval()` is no new version: plans that were solved before are not used again all the same."""
    model = CategoricalModel(B=[np.full((2, 2, 2), 0.5)], D=[[1.0, 0.0]], counts={"A": [np.eye(2) + 0.1]})
    goal, horizon = LogPreferences([[1.0, 0.0]]), 1 if isinstance(planner, ValueIteration) else 2
    f = ExpectedEnergy(model, model.begin(1), Purpose(goal, horizon, SummedGain("weights"), discount=0.9))
    plan = minimize(f, planner).belief
    assert isinstance(plan, Plan)
    assert "parameter_gain" in plan.terms()
    model.eval()
    after = minimize(f, planner, plan.shifted()).belief
    assert isinstance(after, Plan)
    assert "parameter_gain" not in after.terms()


def test_what_was_folded_before_is_folded_anew() -> None:
    """The same agent, at the same counts, decides by other energies from one moment to the next."""
    agent, draws = schooled(ConjugateLearner, SummedGain("both"), settles=True), torch.Generator()
    obs = torch.zeros(1, 8)
    obs[0, [0, 5]] = 1
    start = agent.start(1, generator=draws)
    before = agent.decide(start, obs, generator=draws).energies
    assert isinstance(agent.learner, Learner)
    agent.learner.finish()
    after = agent.decide(start, obs, generator=draws).energies
    assert float(before["parameter_gain"]) > 0
    assert "parameter_gain" not in after
