"""Belief propagation: exact on trees, a fixed point near the truth with loops, damping, Bethe free energy."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import Clamped, Evidence, UserError, minimize
from agentic_energies.factored import FactoredModel
from agentic_energies.table import Table
from agentic_optimizers.belief_propagation import BeliefPropagation
from agentic_optimizers.exact import Exact
from tests.plugins.test_elimination import observations, random_model

F64 = torch.float64
A_TREE = {"A": [[0], [1, 2]], "B": [[0], [1], [2]]}
A_RING = {"A": [[0, 1], [1, 2], [2, 0]], "B": [[0], [1], [2]]}


def model(seed: int, lists: dict[str, list[list[int]]], strength: float = 1.0) -> FactoredModel:
    """Three binary factors, and modalities of two levels."""
    source = torch.Generator().manual_seed(seed)

    def columns(*shape: int) -> torch.Tensor:
        return torch.softmax(strength * torch.randn(2, *shape, generator=source, dtype=F64), 0)

    return FactoredModel(
        A=[columns(*[2] * len(own)) for own in lists["A"]],
        B=[columns(2, 1) for _ in range(3)],
        D=[columns() for _ in range(3)],
        dependencies=lists,
    )


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5]))
def test_trees_are_exact(seed: int, damping: float) -> None:
    tree = model(seed, A_TREE, 3.0)
    evidence = Evidence(tree, observations(tree, seed, 3), tree.begin(3))
    found, exact = minimize(evidence, BeliefPropagation(damping=damping)), minimize(evidence, Exact())
    assert not bool(found.diagnostics["loopy"])
    assert found.converged is not None
    assert bool(found.converged.all())
    assert_close(found.belief.mean, exact.belief.mean, atol=1e-11, rtol=0)
    assert_close(found.value, exact.value, atol=1e-11, rtol=0)


def test_a_ring_is_said_to_be_loopy_and_weak_links_are_nearly_exact() -> None:
    gaps = []
    for strength in (0.3, 3.0):
        ring = model(0, A_RING, strength)
        evidence = Evidence(ring, ring.outcome.one_hot(torch.zeros(1, 3)), ring.begin(1))
        found, exact = minimize(evidence, BeliefPropagation(steps=500)), minimize(evidence, Exact())
        assert bool(found.diagnostics["loopy"])
        assert bool((found.residual <= 1e-12).all())
        gaps.append(float((found.belief.mean - exact.belief.mean).abs().max()))
    assert gaps[0] < 1e-3 < gaps[1]


@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_the_bethe_free_energy_of_a_ring_without_fields(damping: float) -> None:
    """Three spins in a ring, seen to agree: Z = (1 + tanh(J)^3) / 8, where Bethe's has no tanh."""
    strength = torch.tensor(0.8, dtype=F64)
    agree = torch.sigmoid(2 * strength * torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=F64))
    looks, still, even = torch.stack([agree, 1 - agree]), torch.eye(2, dtype=F64).unsqueeze(-1), [0.5, 0.5]
    ring = FactoredModel([looks] * 3, [still] * 3, [even] * 3, dependencies=A_RING)
    evidence = Evidence(ring, ring.outcome.one_hot(torch.zeros(1, 3)), ring.begin(1))
    found, exact = minimize(evidence, BeliefPropagation(damping=damping)), minimize(evidence, Exact())
    assert_close(exact.value[0], -((1 + torch.tanh(strength) ** 3) / 8).log())
    assert_close(found.value[0], 3 * torch.tensor(2.0, dtype=F64).log())
    assert_close(found.belief.mean, exact.belief.mean)


def test_one_table_is_settled_at_once() -> None:
    costs = torch.tensor([[0.0, 1.2], [0.7, 0.1]], dtype=F64)
    table = Table(costs.tolist())
    found = minimize(Clamped(table, None, table.domain), BeliefPropagation())
    joint = torch.softmax(-costs.flatten(), 0)
    assert_close(found.value[0], (joint * costs.flatten()).sum() - torch.special.entr(joint).sum())
    assert_close(found.belief.mean[0], torch.cat([joint.view(2, 2).sum(1), joint.view(2, 2).sum(0)]))


def test_rows_settle_by_themselves() -> None:
    many = FactoredModel(**random_model(5))
    obs = observations(many, 5, 4)
    both = minimize(Evidence(many, obs, many.begin(4)), BeliefPropagation())
    for row in range(4):
        alone = minimize(Evidence(many, obs[[row]], many.begin(1)), BeliefPropagation())
        assert_close(both.belief.mean[[row]], alone.belief.mean, atol=1e-10, rtol=0)


def test_doors() -> None:
    with pytest.raises(UserError, match=r"belief_propagation expects steps >= 0 and damping in \[0, 1\)"):
        BeliefPropagation(damping=1.0)
