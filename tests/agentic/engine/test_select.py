"""Resetting rows of a state."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from agentic import select

MASK = torch.tensor([True, False])
ONES, TWOS = torch.ones(2, 3), torch.full((2, 3), 2.0)
MIXED = torch.tensor([[1.0] * 3, [2.0] * 3])


@dataclass(frozen=True)
class Memory:
    trace: Tensor
    name: str = "memory"


@dataclass(frozen=True)
class Merging:
    value: int

    def where(self, mask: Tensor, other: "Merging") -> "Merging":
        return Merging(10 * self.value + other.value)


def test_rows_of_tensors() -> None:
    assert torch.equal(select(MASK, ONES, TWOS), MIXED)
    assert select(MASK, torch.tensor([1, 1]), torch.tensor([2, 2])).tolist() == [1, 2]


def test_it_walks_what_holds_tensors() -> None:
    picked = select(MASK, (Memory(ONES), {"a": [ONES]}), (Memory(TWOS), {"a": [TWOS]}))
    assert torch.equal(picked[0].trace, MIXED)
    assert torch.equal(picked[1]["a"][0], MIXED)
    assert picked[0].name == "memory"


def test_what_has_where_decides_itself() -> None:
    assert select(MASK, Merging(1), Merging(2)) == Merging(12)


def test_what_is_not_batched_must_agree() -> None:
    assert select(MASK, None, None) is None
    assert select(MASK, 3, 3) == 3
    with pytest.raises(TypeError, match="give it a tensor or a `where` method"):
        select(MASK, 3, 4)
