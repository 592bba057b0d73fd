"""Branches of beliefs that are products of factors, beside those of the joint state."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import Backup, Categorical, ExpectedEnergy, Purpose, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_energies.product import Product, split
from agentic_optimizers.backups import Max, MeanUnderSoftmax
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64
SEEDS = st.integers(0, 10_000)


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    return np.moveaxis(draws.dirichlet(np.ones(shape[0]), shape[1:]), -1, 0)


def pair(seed: int) -> tuple[FactoredModel, CategoricalModel]:
    """Two factors that nothing brings together, one of which ends episodes, as both kinds of model."""
    draws = np.random.default_rng(seed)
    A = [columns(draws, 2, 3), columns(draws, 3, 2)]
    B, D = [columns(draws, 3, 3, 2), columns(draws, 2, 2, 2)], [columns(draws, 3), columns(draws, 2)]
    ends = draws.uniform(0, 0.5, (3, 1)).repeat(2, 1) if seed % 2 else np.full((3, 2), 0.1 * (seed % 4))
    lists = {"A": [[0], [1]]}
    factored = FactoredModel(A, B, D, ends=ends, dependencies=lists)
    return factored, CategoricalModel(A, B, D, ends=ends, dependencies=lists)


@settings(derandomize=True, deadline=None, max_examples=12)
@given(SEEDS)
def test_they_are_the_joint_ones_where_factors_stay_independent(seed: int) -> None:
    factored, joint = pair(seed)
    beliefs = torch.cat([factored.begin(1).mean, factored.predict(factored.begin(1), torch.eye(2)[:1]).mean])
    found = factored.branch(beliefs)
    whole = joint.branch(factored.latent.joint(beliefs))
    assert_close(factored.latent.joint(found.after).sum(-1), torch.ones(len(found.chance), dtype=F64))
    order, expected = (
        np.lexsort(torch.cat([each.node[:, None], each.action[:, None], each.outcome], 1).T.numpy())
        for each in (found, whole)
    )
    assert_close(found.chance[order], whole.chance[expected])
    assert_close(factored.latent.joint(found.after)[order], whole.after[expected])


@settings(derandomize=True, deadline=None, max_examples=8)
@given(SEEDS, st.sampled_from([Max(), MeanUnderSoftmax()]))
def test_trees_of_them_are_the_joint_trees(seed: int, backup: Backup) -> None:
    draws = np.random.default_rng(seed)
    goal = LogPreferences([draws.normal(size=2), draws.normal(size=3)], after=0.3)
    plans = []
    for model in pair(seed):
        purpose = Purpose(goal, 3, SummedGain(), terminal=goal, discount=0.9)
        plan = minimize(ExpectedEnergy(model, model.begin(1), purpose), TreeSearch(backup)).belief
        assert isinstance(plan, Tree)
        plans.append(plan)
    assert_close(plans[0].values, plans[1].values)
    for name, part in plans[1].parts.items():
        assert_close(plans[0].parts[name], part)
    start = pair(seed)[0].begin(1)
    assert_close(plans[0].act(start, 0).mean, plans[0].first_action().mean)


@settings(derandomize=True, deadline=None, max_examples=12)
@given(SEEDS)
def test_what_is_learned_from_one_table_is_expected_to_be_what_was_known(seed: int) -> None:
    """A table that looks at two factors: the marginals after its outcomes, by their chances, are those before."""
    draws = np.random.default_rng(seed)
    model = FactoredModel(
        [columns(draws, 3, 2, 4)],
        [np.eye(n)[:, :, None] for n in (2, 3, 4)],
        [columns(draws, n) for n in (2, 3, 4)],
        dependencies={"A": [[0, 2]]},
    )
    before = Product(model.begin(2).mean.T, torch.tensor([1.0, 0.5], dtype=F64), model.latent.sizes)
    after, outcome, column = split(before, *model.observation.pairs()[0])
    assert outcome.tolist() == [0, 0, 1, 1, 2, 2]
    for row in (0, 1):
        own = column == row
        assert_close((after.mass * after.chance)[:, own].sum(1), before.mass[:, row] * before.chance[row])


def test_a_sure_outcome_tells_nothing() -> None:
    model = FactoredModel([[[1.0, 1.0], [0.0, 0.0]]], [np.eye(2)[:, :, None]], [[0.3, 0.7]])
    before = Product(model.begin(1).mean.T, torch.ones(1, dtype=F64), (2,))
    after, outcome, column = split(before, *model.observation.pairs()[0])
    assert after is before
    assert (outcome.tolist(), column.tolist()) == ([0], [0])


def test_episodes_that_end_are_known_by_the_factors_that_say_so() -> None:
    factored, joint = pair(1)
    belief = factored.begin(3)
    living, alive = factored.condition_on_alive(belief)
    whole, chance = joint.condition_on_alive(joint.begin(3))
    assert (alive is not None, chance is not None) == (True, True)
    assert_close(alive, chance)
    assert_close(factored.latent.joint(living.mean), whole.mean)
    assert_close(factored.alive(belief.mean), alive)
    endless = FactoredModel.example()
    assert endless.condition_on_alive(endless.begin(1))[1] is None


def test_who_cannot_be_alive_stays_as_he_is() -> None:
    model = FactoredModel([np.eye(2)], [np.eye(2)[:, :, None]], [[0.0, 1.0]], ends=[0, 1])
    belief, alive = model.condition_on_alive(model.begin(1))
    assert alive is not None
    assert (belief.mean.tolist(), alive.tolist()) == ([[0, 1]], [0])
    assert len(model.branch(model.begin(1).mean).chance) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_beliefs_keep_their_type(dtype: torch.dtype) -> None:
    model = FactoredModel.example().to(dtype)
    found = model.branch(model.begin(2).mean)
    assert found.after.dtype == found.chance.dtype == dtype
    assert isinstance(model.begin(1), Categorical)
