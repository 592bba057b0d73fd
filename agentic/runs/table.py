"""Arrow tables of columns with one shape each, as records hold them."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from agentic.runs.seeds import Phase

PHASES: tuple[Phase, ...] = ("learn", "evaluate")
_ENDS = np.cumsum([0, *map(len, PHASES)], dtype=np.int32)
NAMES = pa.StringArray.from_buffers(len(PHASES), pa.py_buffer(_ENDS), pa.py_buffer("".join(PHASES).encode()))
SHAPES = b"shapes"  # key of the schema's metadata: a JSON mapping from column to the shape of one event

CHUNK = b"chunk"  # another one, of a chunk that is being filled: its place among the chunks
KEYS = ("phase", "row", "episode", "t")
ROWS, BYTES = 2**22, 2**32  # of a chunk, as much as is read: more than a run writes at once


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind))


PLAIN: dict[str, Callable[[pa.DataType], bool]] = {  # columns of one value, never null
    "phase": lambda kind: types.is_string(kind) or types.is_large_string(kind),
    **dict.fromkeys(KEYS[1:], types.is_integer),
    "reward": _is_number,
    **dict.fromkeys(("terminated", "truncated"), types.is_boolean),
}


def table_of(
    phase: np.ndarray, columns: Mapping[str, np.ndarray | pa.Array], shapes: Mapping[str, Sequence[int]] | None = None
) -> pa.Table:
    """Columns (n, *shape), without gaps in memory, as an Arrow table; `phase` (n,) holds places in PHASES.

    What is an Arrow array already stays as it is, and `shapes` then has those of all columns that need one.
    """
    if shapes is None:
        shapes = {name: column.shape[1:] for name, column in columns.items() if column.ndim > 1}
    arrays = {"phase": NAMES.take(arrow_array(phase.astype(np.int8)))}
    arrays |= {name: each if isinstance(each, pa.Array) else arrow_array(each) for name, each in columns.items()}
    schema = pa.schema([(name, array.type) for name, array in arrays.items()], {SHAPES: json.dumps(shapes)})
    return pa.Table.from_arrays(list(arrays.values()), schema=schema)


def shapes_of(table: pa.Table) -> dict[str, list[int]]:
    """The shape of one event of each column that has one."""
    return dict(json.loads((table.schema.metadata or {}).get(SHAPES, b"{}")))


def check_schema(schema: pa.Schema, rows: int) -> None:
    """Check what a chunk says that it holds, before it is read.

    Raises ValueError for columns that no record has, and for more than a run writes at once.
    """
    shapes = json.loads((schema.metadata or {}).get(SHAPES, b"{}"))
    if not isinstance(shapes, dict) or not {*KEYS} <= {*schema.names}:
        raise ValueError("it lacks phase, row, episode or t, or the shapes of its columns")
    size = 0
    for field in schema:
        kind, width = field.type, 1
        if types.is_fixed_size_list(kind):
            kind, width = kind.value_type, kind.list_size
        elif types.is_list(kind) and field.name.partition(".")[0] == "plan":
            kind = kind.value_type
        elif types.is_fixed_size_binary(kind):
            kind, width = pa.uint8(), kind.byte_width
        if not PLAIN.get(field.name, _is_number)(field.type if field.name in PLAIN else kind):
            raise ValueError(f"its column {field.name!r} is of type {field.type}")
        if kind is not field.type and not types.is_list(field.type) and not _is_shape(shapes.get(field.name), width):
            raise ValueError(f"its column {field.name!r} of {width} numbers has no shape, or another")
        size += width * (kind.bit_width // 8 if _is_number(kind) else 1)
    if rows > ROWS or rows * size > BYTES:
        raise ValueError(f"it claims to hold {rows:,} rows of {size:,} bytes, more than a run writes at once")


def _is_shape(shape: Any, width: int) -> bool:
    return (
        isinstance(shape, list)
        and all(type(size) is int and size >= 0 for size in shape)
        and (math.prod(shape) == width)
    )


def check_values(table: pa.Table) -> None:
    """Check that every tick has its place, its reward and its ends. Raises ValueError."""
    for name in PLAIN.keys() & {*table.column_names}:
        if table[name].null_count:
            raise ValueError(f"its column {name!r} lacks values")
    if "phase" in table.column_names and not pc.all(pc.is_in(table["phase"], NAMES), min_count=0).as_py():
        raise ValueError(f"its column 'phase' has others than {', '.join(PHASES)}")


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one after the other; a column that one of them lacks is null there."""
    shapes = {name: shape for table in tables for name, shape in shapes_of(table).items()}
    return pa.concat_tables(tables, promote_options="default").replace_schema_metadata({SHAPES: json.dumps(shapes)})


def numpy_of(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """The values (n,) of a column, read only where they are its own memory; null as NaN or None.

    Numbers and truth values are read from their buffer, without a look at pandas.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    truth = types.is_boolean(array.type)
    if array.null_count or not _is_number(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    code = "f" if types.is_floating(array.type) else "u" if types.is_unsigned_integer(array.type) else "i"
    memory = np.frombuffer(array.buffers()[1] or b"", "u1" if truth else f"{code}{array.type.bit_width // 8}")
    values = np.unpackbits(memory, bitorder="little").view(bool) if truth else memory
    return values[array.offset : array.offset + len(array)]


def empty_table(schema: pa.Schema) -> pa.Table:
    """A table without rows, made without a look at pandas."""
    return pa.Table.from_batches([], schema)


def arrow_array(column: np.ndarray) -> pa.Array:
    """An Arrow array over the column's own memory, a fixed-size list where an event has a shape.

    Pictures (uint8, three axes) are fixed-size binary: a list costs far more time to read.

    Made from the buffer: `pa.array` looks for pandas, which takes half a second where it is there, and a seventh of a
    millisecond on every call where it is not.
    """
    flat = column.reshape(-1)
    if column.dtype == np.uint8 and column.ndim == 4 and len(flat):
        pictures = pa.binary(math.prod(column.shape[1:]))
        return pa.Array.from_buffers(pictures, len(column), [None, pa.py_buffer(flat)])
    if flat.dtype == bool:
        array = pa.Array.from_buffers(pa.bool_(), len(flat), [None, pa.py_buffer(np.packbits(flat, bitorder="little"))])
    else:
        array = pa.Array.from_buffers(pa.from_numpy_dtype(flat.dtype), len(flat), [None, pa.py_buffer(flat)])
    if column.ndim == 1:
        return array
    return pa.FixedSizeListArray.from_arrays(array, math.prod(column.shape[1:]))
