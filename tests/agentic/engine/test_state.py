"""`select`: rows of one state, rows of another."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from agentic import Point, select


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


MASK = torch.tensor([True, False, True])


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
