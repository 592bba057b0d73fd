"""Recordings read as columns: Parquet, CSV, NPZ, runs, Minari data sets, arrays."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agentic import Record, UserError, subject_of
from agentic.errors import BREAKS, said, shown
from agentic.runs import numpy_of
from agentic_discovery.columns import Columns

RUN = ("world", "obs", "belief", "action")  # what comes first within a step of a run; all else in it is left out

FOUND = "belief.external<obs<belief.internal<action"  # in a record of what was discovered, with an order
PARQUET = "parquet"
SPREADS = ("covariance", "precision", "scale", "log_scale")  # of a belief: how sure it is, not what it holds


def read(recording: Any, *, episode: str | None = None) -> Columns:
    """The columns of a recording; see `agentic_discovery.discover`.

    Raises UserError, of one sentence, for what is no recording, cannot be read, or has no column `episode`.
    """
    if isinstance(recording, Columns):
        return recording
    if isinstance(recording, Record):
        return _of_record(recording, str(recording.folder or "a record"))
    if isinstance(recording, Mapping):
        return _of_mapping(recording, episode, "arrays")
    if isinstance(recording, np.ndarray):
        return Columns.of(recording)
    if not isinstance(recording, str | Path):
        raise UserError(
            "a recording is a file, the folder of a run, a Record, an array or a mapping of arrays, "
            f"got {shown(recording)}"
        )
    return _of_path(str(recording), episode)


def _of_path(text: str, episode: str | None) -> Columns:
    if text.startswith("minari:"):
        return _of_record(subject_of(text).record, text)
    path = Path(text)
    if path.is_dir():
        return _of_record(Record.open(path), text)
    if not path.exists():
        raise UserError(
            f"there is no recording {text}: give a Parquet, CSV or NPZ file, the folder of a run or minari:ID"
        )
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{text} is none of {', '.join(READERS)}: save the recording as one of those")
    try:
        arrays = reader(path)
    except UserError:
        raise
    except BREAKS as error:
        raise UserError(f"{text} cannot be read as {path.suffix.lower()[1:]}: {said(error)}") from error
    return _of_mapping(arrays, episode, path.name)


def _of_mapping(arrays: Mapping[str, Any], episode: str | None, source: str) -> Columns:
    arrays = dict(arrays)
    lengths: tuple[int, ...] = ()
    if episode is not None:
        if episode not in arrays:
            raise UserError(f"no column is called {episode!r}; there are {', '.join(map(str, arrays))}")
        lengths = _lengths(np.asarray(arrays.pop(episode)), episode)
    return Columns.of(arrays, lengths=lengths, source=source)


def _lengths(numbers: NDArray[Any], name: str) -> tuple[int, ...]:
    """The lengths of stretches of one number each. Raises UserError where a number comes back."""
    if numbers.ndim != 1:
        raise UserError(f"the column {name!r} has the shape {numbers.shape}, expected one number for each step")
    cuts = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
    starts = numbers[np.concatenate([[0], cuts])] if len(numbers) else numbers
    if len(set(starts.tolist())) < len(starts):
        raise UserError(f"the steps of an episode are not together in the column {name!r}: sort the recording by it")
    return tuple(int(size) for size in np.diff([0, *cuts, len(numbers)]))


def _of_record(record: Record, source: str) -> Columns:
    """World, observation, belief and action of the evaluated episodes of a record, of all where none was evaluated."""
    episodes = [each for each in record.episodes("evaluate") or record.episodes() if each.length]
    if not episodes:
        raise UserError(f"{source} holds no step of an evaluated episode: run it longer")
    names = [name for part in RUN for name in episodes[0].arrays if f"{name}.".startswith(f"{part}.")]
    names = [name for name in names if name.rpartition(".")[2] not in SPREADS]
    names = [name for name in names if all(_is_number(each.arrays[name]) for each in episodes)]
    arrays = {name: np.concatenate([each.arrays[name] for each in episodes]).astype(np.float64) for name in names}
    whole = {name: array for name, array in arrays.items() if np.isfinite(array).all()}
    found = record.manifest.get("discovered")
    order = FOUND if isinstance(found, Mapping) and found.get("ordered") else None if found else "<".join(RUN)
    return Columns.of(whole, lengths=[each.length for each in episodes], source=source, order=order)


def _is_number(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "biuf"


def _parquet(path: Path) -> Mapping[str, Any]:
    import pyarrow.parquet as pq

    return _of_table(pq.read_table(path), path)


def _csv(path: Path) -> Mapping[str, Any]:
    from pyarrow import csv

    return _of_table(csv.read_csv(path), path)


def _npz(path: Path) -> Mapping[str, Any]:
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def _of_table(table: pa.Table, path: Path) -> Mapping[str, Any]:
    """The columns of an Arrow table as arrays. Raises UserError for a gap, and for what is no number."""
    arrays: dict[str, Any] = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if column.null_count:
            raise UserError(
                f"the column {name!r} of {path.name} has {column.null_count} gaps: fill them or leave them out"
            )
        if pa.types.is_fixed_size_list(column.type):
            arrays[name] = numpy_of(column.flatten()).reshape(-1, column.type.list_size)
            continue
        arrays[name] = numpy_of(column)
        if arrays[name].dtype.kind not in "biuf":
            arrays[name] = np.asarray(column.to_pylist(), dtype=object)
    return arrays


READERS: dict[str, Callable[[Path], Mapping[str, Any]]] = {f".{PARQUET}": _parquet, ".csv": _csv, ".npz": _npz}
