"""Tables: energies of several discrete variables."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import UserError
from agentic_energies.table import Table

F64 = torch.float64


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_corners_are_entries_and_probabilities_average_them(sizes: list[int], seed: int) -> None:
    draws = torch.Generator().manual_seed(seed)
    values = torch.randn(*sizes, generator=draws, dtype=F64)
    table = Table(values.tolist())
    assert_close(table(None, table.domain.corners()), values.flatten())
    noise = torch.randn(sum(sizes), generator=draws, dtype=F64)
    blocks = [torch.softmax(block, -1) for block in table.domain.blocks(noise)]
    average = sum(
        float(torch.stack([block[i] for block, i in zip(blocks, index, strict=True)]).prod() * values[index])
        for index in product(*[range(n) for n in sizes])
    )
    assert float(table(None, torch.cat(blocks))) == pytest.approx(average)


def test_doors() -> None:
    with pytest.raises(UserError, match=r"a table expects 1 to 8 factors, got shape \(\)"):
        Table(1.0)
    with pytest.raises(UserError, match="rectangular array of numbers"):
        Table([[1.0], [1.0, 2.0]])
