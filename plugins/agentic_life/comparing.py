"""Numbers of two runs compared bit for bit: the columns of their records, their measurements, the cells of benches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
import pyarrow as pa
from pyarrow import types

from agentic import Measurement, Record
from agentic.runs import numpy_of

PLACE = ("phase", "row", "episode", "t")
RANK = "rank"  # beside these, of candidate plans
TICKS = "ticks"  # the kind and name of their number
NUMBERS = ("value", "interval", "null", "episodes", "samples")  # of a measurement: what it says in numbers


@final
@dataclass(frozen=True)
class Compared:
    """The comparison of one column, measurement or cell, by `kind` and `name`.

    Of `rows` values, `differing` are not the same, the first of them at the place `first`; `largest` is the largest
    finite difference, None where there is none in numbers. `note` says what else is not the same.
    """

    kind: str
    name: str
    rows: int = 1
    differing: int = 0
    first: str = ""
    largest: float | None = None
    note: str = ""

    @property
    def same(self) -> bool:
        """Whether all is the same, bit for bit; NaN is the same as NaN."""
        return not (self.differing or self.note)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        return {**asdict(self), "same": self.same}


def compare_records(then: Record, now: Record, *, whole: bool = True) -> Iterator[Compared]:
    """The comparison of every column of two records; of the second only as many ticks as the first has, unless `whole`.

    Of a damaged record the ticks that are there are compared with those at their places.
    """
    places = then.table(list(PLACE)), now.table(list(PLACE))
    kept = _shared(*places) if then.problems else None
    counts = len(places[0]), len(places[1]) if kept is None else int(kept.sum())
    rows = min(counts)
    apart = max(0, counts[0] - counts[1]) or int(whole) * (counts[1] - counts[0])
    yield Compared(TICKS, TICKS, rows, apart, note=_pair(*counts) if apart else "")
    known = set(then.columns), set(now.columns)
    for name in dict.fromkeys([*then.columns, *now.columns]):
        if name in known[0] and name in known[1]:
            wanted = list(dict.fromkeys([*PLACE, name]))
            mine, other = then.table(wanted), now.table(wanted)
            other = other if kept is None else other.filter(pa.array(kept))
            yield compare_column("column", name, mine.slice(0, rows), other.slice(0, rows))
        else:
            yield Compared("column", name, rows, rows, note=f"only {'then' if name in known[0] else 'now'}")


def compare_candidates(then: Record, now: Record, *, whole: bool = True) -> Iterator[Compared]:
    """The comparison of the candidate plans of two records; only as many as the first has, unless `whole`."""
    mine, other = then.candidates(), now.candidates()
    if len(mine) > len(other) or (whole and len(mine) < len(other)):
        yield Compared("candidate column", "candidate plans", len(mine), len(mine), note=_pair(len(mine), len(other)))
        return
    for name in mine.column_names:
        if name in other.column_names:
            yield compare_column("candidate column", f"candidate {name}", mine, other.slice(0, len(mine)), name)
        else:
            yield Compared("candidate column", f"candidate {name}", len(mine), len(mine), note="only then")


def compare_column(kind: str, name: str, then: pa.Table, now: pa.Table, column: str = "") -> Compared:
    """The comparison of one column of two tables of as many rows: `column`, which is told as `name`."""
    column = column or name
    before, after = then.schema.field(column).type, now.schema.field(column).type
    if before != after:
        return Compared(kind, name, len(then), len(then), note=_pair(before, after))
    mine, other = _values(then[column]), _values(now[column])
    differs = _differs(mine, other)
    if not differs.any():
        return Compared(kind, name, len(then))
    place = (
        then.slice(int(differs.argmax()), 1)
        .select([key for key in (*PLACE, RANK) if key in then.column_names])
        .to_pylist()
    )
    first = ", ".join(f"{value}" if key == "phase" else f"{key} {value}" for key, value in place[0].items())
    return Compared(kind, name, len(then), int(differs.sum()), first, _largest(mine[differs], other[differs]))


def compare_measurements(
    then: Mapping[str, Measurement], now: Mapping[str, Measurement | Exception]
) -> Iterator[Compared]:
    """The comparison of measurements: values, intervals, nulls and sample sizes."""
    for name, each in then.items():
        again = now.get(name)
        if isinstance(again, Measurement):
            yield compare_tables("measurement", name, each.to_dict(), again.to_dict(), NUMBERS)
        else:
            yield Compared("measurement", name, 1, 1, note=f"not measured again: {again}")


def compare_tables(
    kind: str, name: str, then: Mapping[str, Any], now: Mapping[str, Any], keys: Sequence[str]
) -> Compared:
    """The comparison of plain values by key."""
    differing = [key for key in keys if then.get(key) != now.get(key)]
    note = "; ".join(f"{key} {_pair(then.get(key), now.get(key))}" for key in differing)
    return Compared(kind, name, 1, int(bool(differing)), note=note)


def _pair(then: object, now: object) -> str:
    return f"then {then}, now {now}"


def _shared(then: pa.Table, now: pa.Table) -> np.ndarray:
    """Whether a tick of the second record has its place in the first, (n,)."""
    there = set(zip(*(then[key].to_pylist() for key in PLACE), strict=True))
    return np.array([place in there for place in zip(*(now[key].to_pylist() for key in PLACE), strict=True)], bool)


def _values(column: pa.ChunkedArray) -> np.ndarray:
    """A column as numbers or words (n, size); null as NaN."""
    array = column.combine_chunks()
    if types.is_fixed_size_binary(array.type):
        width = array.type.byte_width
        flat = np.frombuffer(array.buffers()[1] or b"", np.uint8)
        return flat[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)
    if types.is_fixed_size_list(array.type):
        found = numpy_of(array.flatten()).reshape(-1, array.type.list_size)
        if not array.null_count:
            return found
        out = np.full((len(array), array.type.list_size), np.nan)
        out[numpy_of(array.is_valid())] = found
        return out
    if types.is_list(array.type):
        return np.array([repr(each) for each in array.to_pylist()], object)[:, None]
    return numpy_of(array)[:, None]


def _differs(mine: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether two rows are not the same, bit for bit, (n,)."""
    if mine.dtype != other.dtype:  # one of them has nulls
        mine, other = mine.astype(np.float64), other.astype(np.float64)
    if mine.dtype.kind != "f":
        return np.asarray((mine != other).any(1))
    bits = f"u{mine.dtype.itemsize}"
    apart = np.ascontiguousarray(mine).view(bits) != np.ascontiguousarray(other).view(bits)
    return np.asarray((apart & ~(np.isnan(mine) & np.isnan(other))).any(1))


def _largest(mine: np.ndarray, other: np.ndarray) -> float | None:
    """The largest finite difference; None where there is none in numbers."""
    if mine.dtype.kind not in "fiu":
        return None
    with np.errstate(all="ignore"):
        apart = np.abs(mine.astype(np.float64) - other.astype(np.float64))
    return float(apart[np.isfinite(apart)].max()) if np.isfinite(apart).any() else None
