"""Numbers compared: bit for bit, NaN with NaN, in columns of every type a record has, and at their places."""

import numpy as np
import pyarrow as pa
import pytest

from agentic_life.comparing import Compared, compare_column, compare_tables

NAN = float("nan")


def table(column: pa.Array) -> pa.Table:
    n = len(column)
    keys = {"phase": ["evaluate"] * n, "row": [0] * n, "episode": [3] * n, "t": list(range(n))}
    return pa.table({**keys, "x": column})


def vectors(values: object) -> pa.Array:
    found = np.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(found.reshape(-1)), found.shape[1])


def compared(then: pa.Array, now: pa.Array) -> Compared:
    return compare_column("column", "x", table(then), table(now))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1.0, NAN, -0.0]),
        pa.array([1.0, None, NAN]),
        pa.array([1, 2, 2**60]),
        pa.array([True, False, True]),
        pa.array(["learn", "evaluate", "learn"]),
        pa.array([b"abc", b"xyz", b"abc"], pa.binary(3)),
        pa.array([[1.0, 2.0], [1.0, 2.0], [NAN, 1.0]]),
        vectors([[1.0, NAN], [0.0, 3.0], [4.0, 5.0]]),
        vectors(np.ones((3, 2), np.float32)),
        vectors([[1, 2], [3, 4], [5, 6]]),
    ],
)
def test_what_is_equal_is_the_same(column: pa.Array) -> None:
    assert compared(column, column).same
    halves = pa.chunked_array([column[:1], column[1:]])
    assert compared(pa.chunked_array([column]), halves).same, "however it lies in memory"


@pytest.mark.parametrize(
    ("then", "now", "differing", "largest"),
    [
        (pa.array([1.0, 0.0]), pa.array([1.0, -0.0]), 1, 0.0),  # equal as numbers, not to the bit
        (pa.array([1.0, 2.0]), pa.array([1.0, np.nextafter(2, 3)]), 1, 2**-51),
        (pa.array([1.0, NAN]), pa.array([1.0, 2.0]), 1, None),
        (pa.array([1.0, float("inf"), 1.0]), pa.array([1.0, 2.0, 4.0]), 2, 3.0),
        (pa.array([1, 250], pa.uint8()), pa.array([1, 0], pa.uint8()), 1, 250.0),
        (pa.array([True, True]), pa.array([True, False]), 1, None),
        (pa.array([b"abc", b"abc"], pa.binary(3)), pa.array([b"abc", b"abz"], pa.binary(3)), 1, 23.0),
        (vectors([[1.0, 2.0], [3.0, 4.0]]), vectors([[1.0, 2.0], [3.5, 2.0]]), 1, 2.0),
        (pa.array([1.0, None]), pa.array([1.0, 2.0]), 1, None),
        (pa.array([1, None]), pa.array([1, 2]), 1, None),
    ],
)
def test_what_differs_is_counted(then: pa.Array, now: pa.Array, differing: int, largest: float | None) -> None:
    found = compared(then, now)
    assert (found.differing, found.largest) == (differing, largest)
    assert found.first == "evaluate, row 0, episode 3, t 1"
    assert not found.same


def test_another_type_is_another_column() -> None:
    found = compared(pa.array([1.0, 2.0]), pa.array([1.0, 2.0], pa.float32()))
    assert not found.same
    assert "then double, now float" in found.note


def test_tables_tell_what_is_another() -> None:
    found = compare_tables("cell", "a", {"value": 1.0, "low": None}, {"value": 2.0, "low": None}, ("value", "low"))
    assert (found.same, found.note) == (False, "value then 1.0, now 2.0")
