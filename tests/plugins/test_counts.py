"""Dirichlet counts: dense and listed ones count alike, and what is impossible is never learned."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import UserError
from agentic_energies.counts import Counts, DenseCounts, Options
from agentic_energies.cpt import Cpt, Dense, Listed
from agentic_energies.dirichlet import information
from agentic_energies.listed_counts import ListedCounts

F64 = torch.float64


def fed(counts: Counts, seed: int, steps: int = 6) -> Counts:
    draws = np.random.default_rng(seed)
    for _ in range(steps):
        columns = torch.from_numpy(draws.choice(counts.columns, draws.integers(1, counts.columns + 1), replace=False))
        weights = torch.from_numpy(
            draws.random((counts.size, len(columns))) * draws.integers(0, 2, counts.size)[:, None]
        )
        counts.add(weights, columns)
    return counts


def agree(one: Cpt, other: Cpt, kept: int) -> None:
    draws = torch.Generator().manual_seed(1)
    child = torch.rand(one.size, 2, generator=draws, dtype=F64)
    weights = torch.rand(one.columns // kept, 3, generator=draws, dtype=F64)
    weights[0] = 0
    assert_close(one.table, other.table)
    assert_close(one.push(weights, kept), other.push(weights, kept))
    assert_close(one.matrix(kept), other.matrix(kept))
    assert_close(one.costs(child), other.costs(child))
    assert_close(one.mean(child[:, 0]), other.mean(child[:, 0]))
    assert_close(one.entropy(), other.entropy())
    assert_close(one.spread(torch.tensor([1, 0, 1])).table, other.spread(torch.tensor([1, 0, 1])).table)


@settings(max_examples=25)
@given(
    st.integers(2, 9), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**16), st.sampled_from([0.0, 0.2]),
    st.sampled_from([0.5, 1.0]),
)  # fmt: skip
def test_listed_counts_are_those_of_an_array(
    size: int, states: int, kept: int, seed: int, forgetting: float, rate: float
) -> None:
    columns, options = (states + 1) * kept, Options(rate=rate, forgetting=forgetting)
    start = torch.full((size, columns), 0.3, dtype=F64)
    dense = fed(DenseCounts(start, 1e-16, **options), seed)
    listed = fed(ListedCounts(size, columns, 0.3, 1e-16, **options), seed)
    assert_close(listed.alpha(), dense.alpha())
    assert_close(listed.prior(), start)
    assert_close(listed.information(), dense.information())
    assert_close(fed(listed, seed + 1).information(), information(listed.alpha()))  # kept up column by column
    agree(listed.cpt, fed(dense, seed + 1).cpt, kept)


def test_by_hand() -> None:
    counts = DenseCounts(torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=F64), 1e-16, rate=0.5)
    table = counts.cpt
    counts.add(torch.tensor([[0.0], [2.0]], dtype=F64), torch.tensor([1]))
    assert counts.alpha().tolist() == [[1, 2], [3, 5]]
    assert counts.cpt is table
    assert_close(table.table, torch.tensor([[1 / 4, 2 / 7], [3 / 4, 5 / 7]], dtype=F64))
    assert_close(table.push(torch.tensor([[0.0], [1.0]], dtype=F64)), torch.tensor([[2 / 7], [5 / 7]], dtype=F64))


def zeros(kind: str) -> Counts:
    start = torch.tensor([[2.0, 0.0, 1.0], [2.0, 3.0, 0.0], [0.0, 1.0, 3.0]], dtype=F64)
    if kind == "array":
        return DenseCounts(start, 1e-16)
    reached = torch.tensor([[2, 0, 1], [1, 2, 0], [0, 2, 1]])
    listed = Listed(reached, (start / 4).T.gather(1, reached), 3, 1e-16)
    return ListedCounts.of(listed, 4.0)


@pytest.mark.parametrize("kind", ["array", "lists"])
def test_zeros_are_structural(kind: str) -> None:
    counts = zeros(kind)
    before = counts.information()
    promised = [information(torch.tensor(pair, dtype=F64)) for pair in ([2.0, 2.0], [3.0, 1.0], [1.0, 3.0])]
    assert_close(before, torch.stack(promised))  # as if the impossible value did not exist
    counts.add(torch.ones(3, 3, dtype=F64), torch.arange(3))
    assert_close(counts.alpha(), torch.tensor([[3.0, 0.0, 2.0], [3.0, 4.0, 0.0], [0.0, 2.0, 4.0]], dtype=F64))
    assert bool((counts.information() < before).all())
    assert bool(counts.cpt.entropy().isfinite().all())


def test_forgetting_bounds_what_was_learned_and_spares_the_prior() -> None:
    counts = DenseCounts(torch.ones(2, 1, dtype=F64), 1e-16, rate=0.5, forgetting=0.1)
    seen, column = torch.tensor([[1.0], [0.0]], dtype=F64), torch.tensor([0])
    for _ in range(500):
        counts.add(seen, column)
    assert_close(counts.alpha(), torch.tensor([[1 + 0.5 / 0.1], [1.0]], dtype=F64))
    counts.add(torch.zeros_like(seen), column)  # nothing was seen, nothing is forgotten
    assert_close(counts.alpha(), torch.tensor([[6.0], [1.0]], dtype=F64))


def test_a_list_grows() -> None:
    counts = ListedCounts(20, 2, 0.05, 1e-16)
    for child in range(20):
        weights = torch.zeros(20, 1, dtype=F64)
        weights[child] = 1 + child
        counts.add(weights, torch.tensor([1]))
    expected = torch.full((20, 2), 0.05, dtype=F64)
    expected[:, 1] += torch.arange(1, 21)
    assert_close(counts.alpha(), expected)
    assert_close(counts.cpt.table, expected / expected.sum(0))


@pytest.mark.parametrize("kind", ["array", "lists"])
def test_pruning_by_hand(kind: str) -> None:
    """Of four values of one count each, one missed in N draws is pruned where ln((3 + N) / 3) > 3 nats: N > 57.26."""
    start = torch.ones(4, 3, dtype=F64)
    counts = DenseCounts(start, 1e-16) if kind == "array" else ListedCounts(4, 3, 1.0, 1e-16)
    counts.information()
    counts.add(
        torch.tensor([[40.0, 40.0, 57.0], [17.1, 18.0, 0.0], [0.6, 0.0, 0.0], [0.0] * 3], dtype=F64), torch.arange(3)
    )
    assert counts.prune(3.0, 0.5) == 1 + 2
    pruned = torch.tensor([[1.0, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1]], dtype=F64)
    expected = torch.tensor([[41.0, 41, 58], [18.1, 19, 1], [1.6, 0, 1], [0, 0, 1]], dtype=F64)
    assert_close(counts.prior(), pruned)
    assert_close(counts.alpha(), expected)
    assert_close(counts.cpt.table, expected / expected.sum(0))
    assert_close(counts.information(), information(expected))
    assert counts.prune(3.0, 0.5) == 0
    counts.add(torch.ones(4, 3, dtype=F64), torch.arange(3))
    assert_close(counts.alpha(), torch.where(pruned > 0, expected + 1, 0.0))  # what is impossible stays so


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(0, 2**16), st.sampled_from([0.5, 1.0]), st.floats(0.05, 1.0))
def test_lists_are_pruned_as_an_array(size: int, seed: int, rate: float, threshold: float) -> None:
    dense: Counts = DenseCounts(torch.full((size, 6), 0.3, dtype=F64), 1e-16, rate=rate)
    listed: Counts = ListedCounts(size, 6, 0.3, 1e-16, rate=rate)
    for counts in (dense, listed):
        fed(counts, seed)
    for _ in range(2):  # then again, by what is left of the prior
        assert dense.prune(threshold, 0.4) == listed.prune(threshold, 0.4)
        assert_close(listed.prior(), dense.prior())
        assert_close(fed(listed, seed + 1).alpha(), fed(dense, seed + 1).alpha())
        assert_close(listed.information(), dense.information())
        agree(listed.cpt, dense.cpt, 2)
    again = ListedCounts(size, 6, 0.3, 1e-16, rate=rate)
    again.load_state_dict(listed.state_dict())
    agree(again.cpt, dense.cpt, 2)


def test_lists_of_what_is_possible_are_pruned_one_by_one() -> None:
    counts = zeros("lists")
    weights = torch.tensor([[0.0, 0.0, 40.0], [40.0, 9.0, 0.0], [0.0, 9.0, 0.2]], dtype=F64)
    counts.add(weights, torch.arange(3))
    assert counts.prune(2.0, 0.5) == 2
    assert_close(counts.prior(), torch.tensor([[0.0, 0.0, 1.0], [2.0, 3.0, 0.0], [0.0, 1.0, 0.0]], dtype=F64))


def test_what_nothing_else_speaks_against_is_never_pruned() -> None:
    counts = DenseCounts(torch.ones(2, 2, dtype=F64), 1e-16)
    assert counts.prune(1e-9, 1.0) == 0
    counts.add(torch.full((2, 2), 0.9, dtype=F64), torch.arange(2))
    assert counts.prune(1e-9, 1.0) == 0


def test_doors() -> None:
    with pytest.raises(UserError, match="counts expect a rate >= 0 and 0 <= forgetting < 1, got -1"):
        DenseCounts(torch.ones(2, 2), 1e-16, rate=-1)
    with pytest.raises(UserError, match="must be positive somewhere in every column"):
        DenseCounts(torch.zeros(2, 2), 1e-16)
    with pytest.raises(UserError, match="something that is possible in every column"):
        ListedCounts(2, 2, 0.0, 1e-16)
    with pytest.raises(UserError, match="the values that are possible first"):
        ListedCounts(2, 1, 0.0, 1e-16, given=(torch.tensor([[0, 1]]), torch.tensor([[0.0, 1.0]])))
    assert isinstance(ListedCounts.of(Dense(torch.eye(2, dtype=F64), 1e-16), 1.0).cpt.table, Tensor)
