"""Arrow tables of columns with one shape each, as records hold them."""

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from agentic.runs.seeds import Phase

PHASES: tuple[Phase, ...] = ("learn", "evaluate")
NAMES = pa.array(PHASES)
SHAPES = b"shapes"  # key of the schema's metadata: a JSON mapping from column to the shape of one event

CHUNK = b"chunk"  # another one, of a chunk that is being filled: its place among the chunks


def table_of(
    phase: np.ndarray, columns: Mapping[str, np.ndarray | pa.Array], shapes: Mapping[str, Sequence[int]] | None = None
) -> pa.Table:
    """Columns (n, *shape), without gaps in memory, as an Arrow table; `phase` (n,) holds places in PHASES.

    What is an Arrow array already stays as it is, and `shapes` then has those of all columns that need one.
    """
    if shapes is None:
        shapes = {name: column.shape[1:] for name, column in columns.items() if column.ndim > 1}
    arrays = {"phase": NAMES.take(_arrow(phase.astype(np.int8)))}
    arrays |= {name: each if isinstance(each, pa.Array) else _arrow(each) for name, each in columns.items()}
    schema = pa.schema([(name, array.type) for name, array in arrays.items()], {SHAPES: json.dumps(shapes)})
    return pa.Table.from_arrays(list(arrays.values()), schema=schema)


def shapes_of(table: pa.Table) -> dict[str, list[int]]:
    """The shape of one event of each column that has one."""
    return dict(json.loads((table.schema.metadata or {}).get(SHAPES, b"{}")))


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one after the other; a column that one of them lacks is null there."""
    shapes = {name: shape for table in tables for name, shape in shapes_of(table).items()}
    return pa.concat_tables(tables, promote_options="default").replace_schema_metadata({SHAPES: json.dumps(shapes)})


def _arrow(column: np.ndarray) -> pa.Array:
    """An Arrow array over the column's own memory, a fixed-size list where an event has a shape.

    Pictures (uint8, three axes) are fixed-size binary: a list costs far more time to read.

    Made from the buffer: `pa.array` looks for pandas on every call, a seventh of a millisecond where there is none.
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
