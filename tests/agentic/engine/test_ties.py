"""Ties: equal but for rounding errors, whatever the unit, the offset and the precision."""

from math import inf, nan

import pytest
import torch
from hypothesis import given, settings, strategies as st

from agentic.engine import ties

F64 = torch.float64
THIRDS = torch.tensor([0.1 + 0.2, 0.3, 0.3 * (1 - 1e-6), -5.0], dtype=F64)


@pytest.mark.parametrize("unit", [1e-300, 1e-8, 1.0, 3e9, 1e250])
def test_the_unit_does_not_matter(unit: float) -> None:
    assert ties(THIRDS * unit).tolist() == [True, True, False, False]


@given(st.floats(-1e9, 1e9), st.floats(1e-2, 1e3))
@settings(derandomize=True, deadline=None, max_examples=50)
def test_nor_does_what_is_added_as_far_as_it_leaves_digits(offset: float, gap: float) -> None:
    values = torch.tensor([0.0, -gap, 0.0], dtype=F64) + offset
    assert ties(values).tolist() == [True, False, True]


def test_in_float32_what_it_rounds_is_equal_too() -> None:
    assert ties(THIRDS.float()).tolist() == [True, True, True, False]
    assert ties(torch.tensor([1.0, 1.0 - 1e-4])).tolist() == [True, False]


def test_the_scale_says_what_cancelled() -> None:
    """0.3 - 0.1 - 0.2 is -2.8e-17, and 0 as far as anybody can tell who has added numbers of that size."""
    left = torch.tensor([0.3 - 0.1 - 0.2, 0.0], dtype=F64)
    assert ties(left).tolist() == [False, True]
    assert ties(left, torch.tensor([0.6, 0.0], dtype=F64)).tolist() == [True, True]


def test_a_huge_loss_beside_them_does_not_blur_the_others() -> None:
    assert ties(torch.tensor([1.0, 0.9, -1e20], dtype=F64)).tolist() == [True, False, False]


def test_infinite_values_are_equal_to_their_like() -> None:
    assert ties(torch.tensor([inf, inf, 0.0])).tolist() == [True, True, False]
    assert ties(torch.tensor([-inf, -inf])).tolist() == [True, True]
    assert ties(torch.tensor([-inf, 0.0])).tolist() == [False, True]
    assert not bool(ties(torch.tensor([nan, 0.0])).any())


def test_along_any_axis() -> None:
    values = torch.tensor([[1.0, 2.0], [1.0, 3.0]])
    assert ties(values, dim=0).tolist() == [[True, False], [True, True]]
