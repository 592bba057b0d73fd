"""`select`: rows of one state, rows of another."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from agentic import Point
from agentic.engine import select


class Pair(NamedTuple):
    """Two of a kind."""

    first: Tensor
    second: Tensor


@dataclass(frozen=True)
class Nested:
    """Everything a state may hold."""

    plain: Tensor
    belief: Point
    pair: Pair
    listed: list[Tensor]
    named: dict[str, Tensor]
    note: str = "same"
    nothing: Any = None


def state(number: float) -> Nested:
    rows = torch.full((3, 2), number)
    return Nested(rows, Point(rows), Pair(rows, rows[:, 0]), [rows], {"rows": rows})


@dataclass(frozen=True)
class Memory:
    """A tensor, and what is not batched."""

    trace: Tensor
    name: str = "memory"


@dataclass(frozen=True)
class Merging:
    """What decides itself how it is merged."""

    value: int

    def where(self, mask: Tensor, other: "Merging") -> "Merging":
        return Merging(10 * self.value + other.value)


MASK = torch.tensor([True, False, True])
FIRST = torch.tensor([True, False])
ONES, TWOS = torch.ones(2, 3), torch.full((2, 3), 2.0)
MIXED = torch.tensor([[1.0] * 3, [2.0] * 3])


def test_rows_of_nested_states() -> None:
    mixed = select(MASK, state(1.0), state(0.0))
    rows = [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    assert isinstance(mixed, Nested)
    assert isinstance(mixed.pair, Pair)
    parts = [mixed.plain, mixed.belief.z, mixed.pair.first, mixed.listed[0], mixed.named["rows"]]
    assert all(part.tolist() == rows for part in parts)
    assert mixed.pair.second.tolist() == [1.0, 0.0, 1.0]
    assert mixed.note == "same"


def test_the_same_object_is_kept() -> None:
    one = state(1.0)
    assert select(MASK, one, one) is one


def test_a_part_without_rows_must_not_differ() -> None:
    with pytest.raises(TypeError, match=r"a state holds 3 after a reset and 4 before: give it a tensor or a `where`"):
        select(MASK, (torch.zeros(3), 3), (torch.zeros(3), 4))


def test_tuples_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        select(MASK, (torch.zeros(3),), (torch.zeros(3), torch.zeros(3)))


def test_rows_of_tensors() -> None:
    assert torch.equal(select(FIRST, ONES, TWOS), MIXED)
    assert select(FIRST, torch.tensor([1, 1]), torch.tensor([2, 2])).tolist() == [1, 2]


def test_it_walks_what_holds_tensors() -> None:
    picked = select(FIRST, (Memory(ONES), {"a": [ONES]}), (Memory(TWOS), {"a": [TWOS]}))
    assert torch.equal(picked[0].trace, MIXED)
    assert torch.equal(picked[1]["a"][0], MIXED)
    assert picked[0].name == "memory"


def test_what_has_where_decides_itself() -> None:
    assert select(FIRST, Merging(1), Merging(2)) == Merging(12)


def test_what_is_not_batched_must_agree() -> None:
    assert select(FIRST, None, None) is None
    assert select(FIRST, 3, 3) == 3
    with pytest.raises(TypeError, match="give it a tensor or a `where` method"):
        select(FIRST, 3, 4)
