"""Agents in one batch: each row is what its agent would be alone, to 1e-12."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import EnergyAgent, Evidence, ExpectedEnergy, Gain, Purpose, Sequence, UserError, minimize
from agentic_energies.cpt import Cpt
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_energies.preferring import LearnedPreferences
from agentic_energies.stacked import Stacked, stacked
from agentic_optimizers.belief_propagation import BeliefPropagation
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from agentic_optimizers.mcts import MonteCarloTree
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.structured import StructuredMeanField
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.window import Window

GOAL = LogPreferences([[0.0, 1.0, 2.0], [0.0, -1.0]])
AGENTS = 5
SEEN = torch.tensor([[0, 0], [2, 1], [1, 1], [0, 1], [2, 0]])


def agent(seed: int, **given: Any) -> FactoredModel:
    """Random tables over two factors that act on each other, two modalities and two controls."""
    draws = np.random.default_rng(seed)

    def columns(*shape: int) -> np.ndarray:
        return np.moveaxis(draws.dirichlet(np.ones(shape[0]), shape[1:]), -1, 0)

    lists = {"A": [[0, 1], [1]], "B": [[0], [1, 0]], "B_actions": [[0], [0, 1]]}
    A, B = [columns(3, 2, 3), columns(2, 3)], [columns(2, 2, 2), columns(3, 3, 2, 2, 3)]
    return FactoredModel(A, B, [columns(2), columns(3)], **{"dependencies": lists} | given)


@pytest.mark.parametrize("gain", [None, SummedGain()])
@pytest.mark.parametrize("floor", [1e-16, 0.0])
def test_every_row_is_an_agent_of_its_own(gain: Gain | None, floor: float) -> None:
    models, purpose = [agent(seed, floor=floor) for seed in range(AGENTS)], Purpose(GOAL, 2, gain)
    batch, obs = stacked(models), models[0].outcome.one_hot(SEEN)
    solution = minimize(Evidence(batch, obs, batch.begin(AGENTS)), Mirror(), batch.begin(AGENTS).mean)
    plan = minimize(ExpectedEnergy(batch, solution.belief, purpose), Enumerate()).belief
    assert isinstance(plan, Sequence)
    for i, model in enumerate(models):
        alone = minimize(Evidence(model, obs[[i]], model.begin(1)), Mirror(), model.begin(1).mean)
        assert_close(solution.belief.mean[[i]], alone.belief.mean, atol=1e-12, rtol=0)
        assert_close(solution.value[[i]], alone.value, atol=1e-12, rtol=0)
        own = minimize(ExpectedEnergy(model, alone.belief, purpose), Enumerate()).belief
        assert isinstance(own, Sequence)
        assert_close(plan.values[:, [i]], own.values, atol=1e-12, rtol=0)
        assert_close(plan.first_action(2.0).mean[[i]], own.first_action(2.0).mean, atol=1e-12, rtol=0)


def test_they_live_in_worlds_of_their_own() -> None:
    """An agent of the batch does what it would do alone, in a world where only its own model is right."""
    models = [agent(seed) for seed in range(AGENTS)]
    purpose = Purpose(GOAL, 2, SummedGain())
    batch = EnergyAgent(stacked(models), purpose, Mirror(), Enumerate())
    state, generator = batch.start(AGENTS, generator=torch.Generator()), torch.Generator()
    singles = [EnergyAgent(model, purpose, Mirror(), Enumerate()) for model in models]
    states = [single.start(1, generator=generator) for single in singles]
    for turn in range(3):
        obs = models[0].outcome.one_hot(SEEN.roll(turn, 0))
        decision = batch.decide(state, obs, generator=generator)
        state = decision.state
        for i, single in enumerate(singles):
            own = single.decide(states[i], obs[[i]], generator=generator)
            assert torch.equal(decision.action[[i]], own.action)
            states[i] = own.state


def test_in_single_precision() -> None:
    model = stacked([agent(seed) for seed in range(AGENTS)])
    expected = model.emit(model.begin(AGENTS)).mean
    seen = model.float().emit(model.begin(AGENTS)).mean
    assert seen.dtype == torch.float32
    assert_close(seen.double(), expected, atol=1e-6, rtol=0)


def test_a_table_for_each_agent() -> None:
    tables = [agent(seed).transition.tables[1] for seed in range(AGENTS)]
    cpts = [each for each in tables if isinstance(each, Cpt)]
    both = Stacked(cpts, 1e-16)
    draws = torch.Generator().manual_seed(0)
    weights = torch.rand(both.columns // 6, 2 * AGENTS, generator=draws, dtype=torch.float64)
    for j in range(2 * AGENTS):
        assert_close(both.push(weights, 6)[:, j], cpts[j % AGENTS].push(weights[:, [j]], 6)[:, 0])


def test_agents_of_one_form() -> None:
    with pytest.raises(UserError, match="at least one model"):
        stacked([])
    with pytest.raises(UserError, match="models of one form, model 1 has"):
        stacked([agent(0), FactoredModel.example()])
    with pytest.raises(UserError, match="the same habits E, those of model 1 are others"):
        stacked([agent(0), agent(1, E=[1 / 6] * 6)])
    for ends in (np.full((2, 3), 0.1), np.array([[0.0, 0.5, 0.0]] * 2)):
        stacked([agent(0, ends=ends), agent(1, ends=ends)])
        with pytest.raises(UserError, match="whose episodes end alike, those of model 1 end otherwise"):
            stacked([agent(0, ends=ends), agent(1, ends=ends / 2)])
        with pytest.raises(UserError, match="whose episodes end alike, those of model 1 end otherwise"):
            stacked([agent(0), agent(1, ends=ends)])


@pytest.mark.parametrize("agents", [2, 3, 6])
def test_what_asks_one_model_for_all_rows_is_refused(agents: int) -> None:
    """Also where as many agents as states or outcomes would fit into each other's shapes."""
    model = stacked([agent(seed) for seed in range(agents)])
    f = ExpectedEnergy(model, model.begin(agents), Purpose(GOAL, 2))
    for planner in (TreeSearch(), MonteCarloTree()):
        with pytest.raises(UserError, match=f"{agents} agents have tables of their own"):
            minimize(f, planner)
    certain = [FactoredModel([np.eye(2)], [np.eye(2)[..., None]], [[1, 0]]) for _ in range(agents)]
    blind = stacked(certain)
    with pytest.raises(UserError, match=f"{agents} agents have tables of their own"):
        minimize(ExpectedEnergy(blind, blind.begin(agents), Purpose(LogPreferences([[0.0, 1.0]]), 2)), TreeSearch())
    obs = model.outcome.one_hot(torch.zeros(2, agents, 2, dtype=torch.int64))
    actions = model.action.center(agents).unsqueeze(0)
    for solver in (StructuredMeanField(), Exact(), Mirror(), BeliefPropagation()):
        with pytest.raises(UserError, match=f"{agents} agents have tables of their own"):
            minimize(Window(model, obs, actions), solver)
    with pytest.raises(UserError, match="tables of their own"):
        stacked([model, model])


def test_what_was_learned_is_asked_of_each_model() -> None:
    """Gains and preferences of every row would be those of the first agent."""
    counts = [{"A": [weight * np.eye(2) + 0.1]} for weight in (1.0, 9.0)]
    stay, start = [np.eye(2)[..., None]], [[0.5, 0.5]]
    model = stacked([FactoredModel(B=stay, D=start, counts=each, learn=["C"]) for each in counts])
    assert_close(model.emit(model.begin(2)).mean, torch.full((2, 2), 0.5, dtype=torch.float64))
    for purpose in (Purpose(LogPreferences([[0.0, 1.0]]), gain=SummedGain("weights")), Purpose(LearnedPreferences())):
        with pytest.raises(UserError, match="2 agents have tables of their own: counts, their gains and learned pref"):
            minimize(ExpectedEnergy(model, model.begin(2), purpose), Enumerate())
