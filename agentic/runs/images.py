"""Pictures in chunks: each is written once, though it is the successor of one tick and the observation of the next."""

import numpy as np
import pyarrow as pa

from agentic.runs.table import numpy_of


def pictures(names: list[str], schema: pa.Schema) -> list[str]:
    """Those of the columns that are successors made of pictures."""
    after = [name for name in names if name.partition(".")[0] == "next_obs"]
    return [name for name in after if pa.types.is_fixed_size_binary(schema.field(name).type)]


def packed(table: pa.Table) -> pa.Table:
    """The table with null for every successor that is the observation of the next row of the same episode in it."""
    for name in pictures(table.column_names, table.schema):
        after, before = bytes_of(table[name]), bytes_of(table[name.removeprefix("next_")])
        follows = following(table)
        kept = np.array([j < 0 or not np.array_equal(before[j], after[i]) for i, j in enumerate(follows)], bool)
        table = _replaced(table, name, after, kept)
    return table


def filled(table: pa.Table, wanted: np.ndarray | bool = True) -> pa.Table:
    """The table with the successor of every `wanted` tick in its place. Raises ValueError where one is nowhere."""
    for name in pictures(table.column_names, table.schema):
        absent = numpy_of(table[name].is_null()) & wanted
        if absent.any():
            follows = following(table)[absent]
            if (follows < 0).any():
                raise ValueError(f"{name} lacks pictures that no next row has")
            after = bytes_of(table[name]).copy()
            after[absent] = bytes_of(table[name.removeprefix("next_")])[follows]
            table = _replaced(table, name, after)
    return table


def bytes_of(column: pa.ChunkedArray) -> np.ndarray:
    """A column of pictures as bytes (n, width), not copied where it lies in one piece; those of null are any."""
    array = column.combine_chunks()
    width = array.type.byte_width
    flat = np.frombuffer(array.buffers()[1] or b"", np.uint8)
    return flat[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)


def _replaced(table: pa.Table, name: str, data: np.ndarray, kept: np.ndarray | None = None) -> pa.Table:
    place = table.column_names.index(name)
    bits = None if kept is None else pa.py_buffer(np.packbits(kept, bitorder="little"))
    array = pa.Array.from_buffers(table.schema.types[place], len(data), [bits, pa.py_buffer(data)])
    return table.set_column(place, table.schema.field(place), array)


def following(table: pa.Table) -> np.ndarray:
    """The place of the next tick of the same episode and row, -1 where the table lacks it, (n,)."""
    phase = numpy_of(table["phase"].combine_chunks().dictionary_encode().indices)
    row, episode, t = (numpy_of(table[name]) for name in ("row", "episode", "t"))
    order = np.lexsort((t, episode, row, phase))
    keys = np.stack([phase, row, episode, t])[:, order]
    follows = (np.diff(keys) == np.array([[0], [0], [0], [1]])).all(0)
    places = np.full(len(t), -1)
    places[order[:-1][follows]] = order[1:][follows]
    return places
