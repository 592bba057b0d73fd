"""Value iteration: the limit of deep trees, exact returns, and repairs after learning that equal a fresh start."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import Categorical, EnergyAgent, ExpectedEnergy, Minimizer, Purpose, UserError, make, minimize, ticks
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.reward import Reward
from agentic_optimizers.backups import Max, MeanUnderSoftmax
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.exact import Exact
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.value_iteration import Stationary, ValueIteration

F64 = torch.float64


def plan(model: CategoricalModel, purpose: Purpose, planner: Minimizer, state: int = 0, warm: Any = None) -> Any:
    sure = Categorical(torch.eye(model.latent.count, dtype=F64)[[state]])
    return minimize(ExpectedEnergy(model, sure, purpose), planner, warm).belief


@pytest.mark.parametrize("backup", [Max(), MeanUnderSoftmax(2.0)])
@pytest.mark.parametrize("after", [0.0, 0.5])
def test_it_is_the_limit_of_deep_trees(backup: Any, after: float) -> None:
    world = make("FrozenLake-v1")
    model, goal = CategoricalModel.from_env(world), Reward.from_env(world, after=after)
    deep = plan(model, Purpose(goal, horizon=150, discount=0.8), TreeSearch(backup))
    found = plan(model, Purpose(goal, discount=0.8), ValueIteration(backup, tolerance=1e-13))
    assert isinstance(found, Stationary)
    assert_close(found.energies, deep.depths[-1], atol=1e-12, rtol=0)
    assert_close(found.first_action().mean, deep.first_action().mean)
    assert_close(found.act(Categorical(torch.eye(16, dtype=F64)[[14]]), 7).mean, deep._weights(
        deep.depths[-1][[14]].T, torch.inf, -1, torch.tensor([14])
    ).T)  # fmt: skip
    total = ExpectedEnergy.total(found.terms())
    assert_close(total, backup.value(found.energies[:1], None) if isinstance(backup, Max) else total)


def test_cliff_walking_is_walked_along_the_edge() -> None:
    world = make("CliffWalking-v1")
    model, goal = CategoricalModel.from_env(world), Reward.from_env(world)
    found = plan(model, Purpose(goal, discount=0.99), ValueIteration(tolerance=1e-9), state=36)
    assert float(found.values[36]) == pytest.approx(sum(0.99**t for t in range(13)))


@pytest.mark.parametrize(("id", "relative"), [("FrozenLake-v1", False), ("CliffWalking-v1", True)])
def test_after_learning_it_repairs_what_changed(id: str, relative: bool) -> None:
    world = make(id)
    model = CategoricalModel.empty(world)
    purpose = Purpose(Reward.from_env(world, relative=relative), gain=SummedGain("weights"), discount=0.9)
    planner, learner = ValueIteration(sweeps=500, tolerance=1e-12), ConjugateLearner(model)
    agent = EnergyAgent(model, purpose, Exact(), planner, learner=learner)
    for tick in ticks(agent, world, seed=100, steps=60, accounts=False):
        warm = tick.decision.plan
        learner.update(tick)
    fresh, repaired = (plan(model, purpose, planner, warm=each) for each in (None, warm))
    assert isinstance(repaired, Stationary)
    assert_close(repaired.parts["latent_parameter_gain"], fresh.parts["latent_parameter_gain"])
    assert_close(repaired.parts["pragmatic"], fresh.parts["pragmatic"])
    assert_close(repaired.energies, fresh.energies, atol=1e-10, rtol=0)
    assert plan(model, purpose, planner, warm=repaired).parts is repaired.parts
    assert plan(model, replace(purpose, gain=None), planner, warm=repaired).parts.keys() == {"pragmatic"}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"horizon": 3}, "value_iteration has no horizon"),
        ({"terminal": Reward(np.zeros((16, 4)))}, "value_iteration has no horizon"),
        ({"discount": 1.0}, "value_iteration needs a discount < 1"),
        ({"gain": JointGain("final")}, "value_iteration adds gains step by step"),
    ],
)
def test_doors(changed: dict[str, Any], sentence: str) -> None:
    world = make("FrozenLake-v1")
    purpose = replace(Purpose(Reward.from_env(world), discount=0.9), **changed)
    with pytest.raises(UserError, match=sentence):
        plan(CategoricalModel.from_env(world), purpose, ValueIteration())


def test_hidden_states_are_not_for_it() -> None:
    model = CategoricalModel.example()
    f = ExpectedEnergy(model, model.begin(1), Purpose(Reward([[0.0, 1.0], [2.0, -1.0]]), discount=0.9))
    with pytest.raises(UserError, match="beliefs that are sure of the state: use tree"):
        minimize(f, ValueIteration())
    with pytest.raises(UserError, match="sweeps >= 1 and a tolerance > 0"):
        ValueIteration(sweeps=0)
