"""Conditional tables: dense and listed ones answer alike, and neither remembers what has been written over."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import UserError
from agentic_energies import cpt
from agentic_energies.cpt import Cpt, Dense, Listed, joint, lists, tabled

F64 = torch.float64


def sparse_table(size: int, columns: int, seed: int) -> Tensor:
    """Columns of one to three values each."""
    draws = np.random.default_rng(seed)
    table = torch.zeros(size, columns, dtype=F64)
    for column in range(columns):
        values = draws.choice(size, draws.integers(1, min(3, size) + 1), replace=False)
        table[values, column] = torch.tensor(draws.dirichlet(np.ones(len(values))))
    return table


def listed(table: Tensor, floor: float = 1e-16) -> Listed:
    return Listed(*lists(Dense(table, floor)), len(table), floor)


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**16), st.sampled_from([1e-16, 0.0]))
def test_both_forms_answer_alike(size: int, states: int, kept: int, seed: int, floor: float) -> None:
    table = sparse_table(size, states * kept, seed)
    one, other = Dense(table, floor), listed(table, floor)
    draws = torch.Generator().manual_seed(seed)
    child = torch.rand(size, 3, generator=draws, dtype=F64)
    child = child / child.sum(0)
    weights = torch.rand(states * kept, 3, generator=draws, dtype=F64)
    assert_close(other.table, table)
    assert_close(other.push(weights), table @ weights)
    by_hand = torch.einsum("izk,zb->ikb", table.view(size, states, kept), weights[:states]).reshape(size * kept, 3)
    for each in (one, other):
        assert_close(each.push(weights[:states], kept), by_hand)
        assert_close(each.mean(child[:, 0]), child[:, 0] @ table)
        assert_close(each.entropy(), torch.special.entr(table).sum(0))
    sure = torch.eye(size, dtype=F64)
    for seen in (child, sure):
        assert_close(one.costs(seen), other.costs(seen))
    costs = -table.clamp(min=floor).log().T
    assert_close(one.costs(sure), costs)


def test_a_large_table_that_is_mostly_zero_is_listed() -> None:
    assert isinstance(tabled(sparse_table(90, 90, 0), 1e-16), Listed)
    assert isinstance(tabled(sparse_table(90, 9, 0), 1e-16), Dense)
    assert isinstance(tabled(torch.full((90, 90), 1 / 90, dtype=F64), 1e-16), Dense)


def test_children_of_the_same_columns_are_one_child() -> None:
    first, second = sparse_table(12, 80, 1), sparse_table(10, 80, 2)
    whole = (first.unsqueeze(1) * second.unsqueeze(0)).flatten(0, 1)
    found = joint([tabled(first, 1e-16), tabled(second, 1e-16)], 1e-16)
    assert isinstance(found, Listed)
    assert_close(found.table, whole)
    small = joint([Dense(first[:, :9], 1e-16), Dense(second[:, :9], 1e-16)], 1e-16)
    assert isinstance(small, Dense)
    assert_close(small.table, whole[:, :9])


def test_what_was_made_without_gradients_is_made_anew_for_them() -> None:
    table = torch.tensor([[0.2, 0.6], [0.8, 0.4]], dtype=F64, requires_grad=True)
    made = Dense(table, 1e-16)
    with torch.no_grad():
        made.costs(torch.eye(2, dtype=F64))
    made.costs(torch.eye(2, dtype=F64)).sum().backward()
    assert table.grad is not None
    assert_close(table.grad, -1 / table.detach())


def test_a_joint_state_that_is_too_large_says_how_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpt, "LIMIT", 100)
    children: list[Cpt] = [tabled(sparse_table(12, 80, 1), 1e-16), tabled(sparse_table(10, 80, 2), 1e-16)]
    with pytest.raises(UserError, match=r"would hold [\d,]+ entries, more than 100: make transitions more certain"):
        joint(children, 1e-16)


@pytest.mark.parametrize("form", [partial(Dense, floor=1e-16), listed])
def test_what_was_made_is_made_anew_after_a_change(form: Callable[[Tensor], Cpt]) -> None:
    table, weights = sparse_table(5, 4, 3), torch.ones(4, 1, dtype=F64)
    each = form(table)
    before = each.push(weights)
    for buffer in each.buffers():
        if buffer.is_floating_point():
            buffer.mul_(2)
    assert_close(each.push(weights), 2 * before)
    single = deepcopy(each).float()
    assert single.push(weights.float()).dtype == torch.float32
    assert_close(single.double().push(weights), 2 * before, rtol=1e-6, atol=1e-6)
    assert_close(each.push(weights), 2 * before)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_rows_that_are_mostly_one_number_are_multiplied_as_such(dtype: torch.dtype) -> None:
    table = (0.9 * torch.eye(100, dtype=F64) + 0.1 / 100).to(dtype)
    made, weights = cpt.operator(table), torch.rand(100, 3, generator=torch.Generator().manual_seed(0), dtype=dtype)
    assert isinstance(made, cpt.Raised)
    assert_close(made @ weights, table @ weights)
    dense = Dense(table, 1e-16)
    assert_close(dense.push(weights), table @ weights)
    dense.values.copy_(table.flip(0))
    assert_close(dense.push(weights), table.flip(0) @ weights)
    assert isinstance(cpt.operator(table[:20, :20]), Tensor)
    assert isinstance(cpt.operator(torch.rand(100, 100, generator=torch.Generator().manual_seed(0))), Tensor)
