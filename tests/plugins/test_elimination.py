"""Exact inference by variable elimination, beside the joint state: marginals, evidence, cost, what is missing."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Clamped, Evidence, Simplex, UserError, minimize
from agentic.engine import FactorGraph
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.table import Table
from agentic_optimizers.belief_propagation import BeliefPropagation
from agentic_optimizers.elimination import best_order
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror

F64 = torch.float64


def random_model(seed: int) -> dict[str, Any]:
    """Two to four factors of two or three values, modalities of one to three of them, zeros here and there."""
    draws = np.random.default_rng(seed)
    sizes = [int(n) for n in draws.integers(2, 4, draws.integers(2, 5))]

    def columns(*shape: int) -> np.ndarray:
        table = np.moveaxis(draws.dirichlet(np.full(shape[0], 0.5), shape[1:]), -1, 0)
        table = np.where(table < 0.02, 0.0, table)
        normalized: np.ndarray = table / table.sum(0)
        return normalized

    def some(limit: int) -> list[int]:
        return [int(f) for f in draws.permutation(len(sizes))[: draws.integers(1, limit + 1)]]

    looks, past = [some(3) for _ in range(draws.integers(1, 4))], [some(2) for _ in sizes]
    return {
        "A": [columns(int(draws.integers(2, 4)), *[sizes[f] for f in own]) for own in looks],
        "B": [columns(n, *[sizes[f] for f in own], 2) for n, own in zip(sizes, past, strict=True)],
        "D": [columns(n) for n in sizes],
        "dependencies": {"A": looks, "B": past},
    }


def observations(model: FactoredModel, seed: int, *rows: int) -> Tensor:
    """Distributions, one in three of them an index, one in five missing."""
    draws = np.random.default_rng(seed)
    blocks = []
    for size in model.outcome.sizes:
        given = torch.from_numpy(draws.dirichlet(np.ones(size), rows))
        sure = torch.nn.functional.one_hot(given.argmax(-1), size).to(F64)
        kind = torch.from_numpy(draws.random(rows)).unsqueeze(-1)
        blocks.append(torch.where(kind < 0.2, torch.nan, torch.where(kind < 0.5, sure, given)))
    return torch.cat(blocks, -1)


def marginals(joint: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """The factors' probabilities (*s, n) of joint ones (*s, count)."""
    whole = joint.unflatten(-1, sizes)
    axes = range(-len(sizes), 0)
    return torch.cat([whole.sum([a for a in axes if a != own]) if len(sizes) > 1 else whole for own in axes], -1)


@settings(derandomize=True, deadline=None, max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_elimination_is_bayes_rule_on_the_joint_state(seed: int) -> None:
    few, joint = FactoredModel(**random_model(seed)), CategoricalModel(**random_model(seed))
    obs = observations(few, seed, 3)
    prior = few.predict(few.begin(3), few.action.one_hot(torch.tensor([[0], [1], [1]])))
    found = minimize(Evidence(few, obs, prior), Exact())
    whole = minimize(Evidence(joint, obs, Categorical(few.latent.joint(prior.mean))), Exact())
    assert_close(found.belief.mean, marginals(whole.belief.mean, few.latent.sizes), atol=1e-12, rtol=0)
    assert_close(found.value, whole.value, atol=1e-12, rtol=1e-12)
    assert bool((minimize(Evidence(few, obs, prior), Mirror(), prior.mean).value >= found.value - 1e-10).all())


@settings(derandomize=True, deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_tables_of_a_model_sum_to_its_energies(seed: int) -> None:
    """With the state before an action given, and free: then its blocks are counted before those after."""
    model = FactoredModel(**random_model(seed))
    source = torch.Generator().manual_seed(seed)
    before, after = (model.latent.draw(3, generator=source) for _ in range(2))
    action, obs = model.action.draw(3, generator=source), observations(model, seed, 3)
    seen, move = model.observation.swapped(), model.transition
    assert isinstance(seen, FactorGraph)
    assert_close(summed(seen.potentials(obs), model.latent, after), seen(obs, after))
    assert_close(summed(move.potentials((before, action)), model.latent, after), move((before, action), after))
    both = Simplex(model.latent.sizes * 2)
    assert_close(
        summed(move.potentials((None, action)), both, torch.cat([before, after], -1)), move((before, action), after)
    )


def summed(tables: Any, domain: Simplex, corners: Tensor) -> Tensor:
    index = domain.indices(corners)
    return torch.stack(
        [torch.stack([costs[(*index[row, list(over)], row)] for row in range(len(corners))]) for costs, over in tables]
    ).sum(0)


def test_a_chain_of_many_factors_never_makes_the_joint_state() -> None:
    """Thirty factors, each seen with the next: the largest table is a pair, where the joint state has 2^30 states."""
    draws = np.random.default_rng(0)
    pairs = [[i, i + 1] for i in range(29)]
    model = FactoredModel(
        A=[np.moveaxis(draws.dirichlet([1.0, 1.0], (2, 2)), -1, 0) for _ in pairs],
        B=[np.eye(2)[:, :, None] for _ in range(30)],
        D=[np.array([0.3, 0.7]) for _ in range(30)],
        dependencies={"A": pairs},
    )
    obs = model.outcome.one_hot(torch.from_numpy(draws.integers(0, 2, (5, 29))))
    found = minimize(Evidence(model, obs, model.begin(5)), Exact())
    assert int(found.diagnostics["largest"]) == 5 * 4
    ahead, tables = (
        torch.tensor([0.3, 0.7], dtype=F64).expand(5, 2),
        [cpt.table for cpt, _ in model.observation.pairs()],
    )
    for table, seen in zip(tables, model.outcome.blocks(obs), strict=True):
        ahead = (ahead.unsqueeze(-1) * (seen @ table).view(5, 2, 2)).sum(1) * torch.tensor([0.3, 0.7], dtype=F64)
    assert_close(found.value, -ahead.sum(-1).log())
    heard = minimize(Evidence(model, obs, model.begin(5)), BeliefPropagation())
    assert_close(heard.belief.mean, found.belief.mean, atol=1e-12, rtol=0)


def test_the_cost_is_known_before_and_is_that_of_the_better_order() -> None:
    """A ring of six has pairs, and needs three together; a star is eliminated from its rim."""
    ring = tuple((i, (i + 1) % 6) for i in range(6))
    assert best_order((3,) * 6, ring).largest == 27
    assert best_order((9, 2, 2, 2), ((0, 1), (0, 2), (0, 3))).largest == 18
    rows = torch.ones(4, 6, dtype=F64) / 2
    f = Clamped(Table(np.zeros((2, 2, 2))), None, Simplex((2, 2, 2)))
    with pytest.raises(
        UserError, match=r"would need a table of 32 entries \(8 for each of 4 rows\), .* limit of 31: use"
    ):
        minimize(f, Exact(limit=31), rows)
    assert int(minimize(f, Exact(limit=32), rows).diagnostics["largest"]) == 32


def test_single_precision_long_odds_and_what_is_impossible() -> None:
    model = FactoredModel(**random_model(3)).float()
    obs = observations(FactoredModel(**random_model(3)), 3, 2)
    single = minimize(Evidence(model, obs.float(), model.begin(2)), Exact())
    double = FactoredModel(**random_model(3))
    exact = minimize(Evidence(double, obs, double.begin(2)), Exact())
    assert single.belief.mean.dtype == torch.float32
    assert_close(single.belief.mean.double(), exact.belief.mean, atol=1e-5, rtol=0)
    far = Clamped(Table([[0.0, 2000.0], [2000.0, 3000.0]]), None, Simplex((2, 2)))
    assert_close(minimize(far, Exact()).belief.mean, torch.tensor([[1.0, 0.0, 1.0, 0.0]], dtype=F64))
    sure = FactoredModel(
        A=[[[[1, 0], [0, 1]], [[0, 1], [1, 0]]]], B=[np.eye(2)[:, :, None]] * 2, D=[[1, 0], [1, 0]], floor=0
    )
    never = Evidence(sure, torch.tensor([[0.0, 1.0]], dtype=F64), sure.begin(1))
    for solver in (Exact(), BeliefPropagation()):
        with pytest.raises(UserError, match="the energy is infinite everywhere"):
            minimize(never, solver)


def test_factors_and_modalities_that_depend_on_nothing() -> None:
    model = FactoredModel(
        A=[[0.25, 0.75], [[0.9, 0.2], [0.1, 0.8]]],
        B=[[0.3, 0.7], [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]],
        D=[[0.5, 0.5], [1.0, 0.0]],
        dependencies={"A": [[], [0]], "B": [[], [1]], "B_actions": [[], [0]]},
    )
    after = model.predict(model.begin(1), model.action.corners()[:1])
    assert_close(after.mean, torch.tensor([[0.3, 0.7, 1.0, 0.0]], dtype=F64))
    seen = Evidence(model, torch.tensor([[1.0, 0.0, 0.0, 1.0]], dtype=F64), after)
    for solver in (Exact(), BeliefPropagation()):
        assert_close(minimize(seen, solver).value, -torch.tensor([0.25 * (0.3 * 0.1 + 0.7 * 0.8)], dtype=F64).log())


def test_what_is_no_sum_of_tables_is_refused() -> None:
    f = Clamped(FactoredModel.example().observation, torch.ones(1, 4, dtype=F64) / 2, Simplex((2, 3)))
    for solver in (Exact(), BeliefPropagation()):
        with pytest.raises(UserError, match=r"needs one discrete latent or a sum of tables, got Simplex.*use mirror"):
            minimize(f, solver)
