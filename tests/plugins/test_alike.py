"""Columns that are equal but for rounding errors."""

import pytest
import torch

from agentic_optimizers.alike import alike


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_columns_of_one_kind_may_differ_by_rounding_errors_only(dtype: torch.dtype) -> None:
    eps = torch.finfo(dtype).eps
    one, other = torch.tensor([[0.2, 0.8], [0.3, 0.1], [0.5, 0.1]], dtype=dtype).unbind(-1)
    near, far = one * (1 + eps), one + torch.tensor([1, -1, 0]) * 1000 * eps
    first, kind = alike(torch.stack([other, one, near, far, other], -1))
    assert first.tolist() == [0, 1, 3]
    assert kind.tolist() == [0, 1, 1, 2, 0]


def test_columns_of_the_same_sum_can_differ() -> None:
    weights = 0.5 + torch.arange(1, 3, dtype=torch.float64).sqrt() % 1
    first, kind = alike(
        torch.stack([torch.stack([weights[1], weights[0] * 0]), torch.stack([weights[0] * 0, weights[0]])], -1)
    )
    assert first.tolist() == kind.tolist() == [0, 1]


def test_columns_of_zeros_are_one_kind() -> None:
    assert alike(torch.zeros(3, 4))[0].tolist() == [0]
