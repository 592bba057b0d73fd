"""Recordings read as columns: Parquet, CSV, NPZ, runs, Minari data sets, arrays."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agentic import Record, UserError, subject_of
from agentic.errors import BREAKS, said, shown
from agentic.runs import numpy_of
from agentic_discovery.columns import Columns, named

RUN = ("world", "obs", "belief", "action")  # what comes first within a step of a run; all else in it is left out

FOUND = "belief.external<obs<belief.internal<action"  # in a record of what was discovered, with an order
PARQUET = "parquet"
Given = Any  # an Arrow table, or a mapping from names to arrays
SPREADS = ("covariance", "precision", "scale", "log_scale")  # of a belief: how sure it is, not what it holds


def read(recording: Any, *, episode: str | None = None, columns: Sequence[str] = ()) -> Columns:
    """The columns of a recording, or those of them that patterns name; see `agentic_discovery.discover`.

    Raises UserError, of one sentence, for what is no recording, cannot be read, or has no column `episode`.
    """
    _check_episode(recording, episode)
    found = _read(recording, episode, columns)
    return found.only(columns) if columns else found


def _read(recording: Any, episode: str | None, columns: Sequence[str]) -> Columns:
    if isinstance(recording, Columns):
        return recording
    if isinstance(recording, Record):
        return _of_record(recording, str(recording.folder or "a record"))
    if hasattr(recording, "__arrow_c_stream__"):
        return _of_arrays(_of_frame(recording), episode, columns, f"a {type(recording).__name__}")
    if isinstance(recording, Mapping):
        return _of_arrays(recording, episode, columns, "arrays")
    if isinstance(recording, np.ndarray):
        return Columns.of(recording)
    if not isinstance(recording, str | Path):
        raise UserError(
            "a recording is a file, the folder of a run, a Record, a data frame, an array or a mapping of arrays, "
            f"got {shown(recording)}"
        )
    return _of_path(str(recording), episode, columns)


def _check_episode(recording: Any, episode: str | None) -> None:
    """Raises UserError where a column of episodes is named for what has none, or tells its episodes itself."""
    tells = isinstance(recording, Columns | Record | np.ndarray)
    if isinstance(recording, str | Path):
        tells = str(recording).startswith("minari:") or Path(recording).is_dir()
    if episode is not None and tells:
        raise UserError(
            f"a column of episodes ({shown(episode)}) is for files and mappings, and this recording is none: leave it "
            "out, as runs and Minari data sets tell their own"
        )


def _of_frame(recording: Any) -> pa.Table:
    """The columns of a data frame of pandas, polars, pyarrow, ...; without the index that pandas hands over."""
    try:
        table = pa.table(recording)
    except BREAKS as error:
        raise UserError(f"the data frame cannot be read: {said(error)}") from error
    kept = [name for name in table.column_names if not name.startswith("__index_level_")]
    return table.select(kept) if len(set(kept)) == len(kept) else table


def _of_path(text: str, episode: str | None, columns: Sequence[str]) -> Columns:
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
        given = reader(path)
    except UserError:
        raise
    except BREAKS as error:
        kind = path.suffix.lower()
        hint = "; expected are UTF-8, a line of names, and commas between columns" if kind == ".csv" else ""
        raise UserError(f"{text} cannot be read as {kind[1:]}: {said(error)}{hint}") from error
    return _of_arrays(given, episode, columns, path.name)


def _of_arrays(given: Given, episode: str | None, columns: Sequence[str], source: str) -> Columns:
    names = list(given.column_names if isinstance(given, pa.Table) else given)
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"{source} has two columns named {twice[0]!r}: give each a name of its own")
    if columns:  # what is not looked at may hold anything
        every, names = names, [name for name in names if name == episode or any(_meant(p, str(name)) for p in columns)]
        if lost := [pattern for pattern in columns if not any(_meant(pattern, str(name)) for name in every)]:
            raise UserError(f"no column is called {lost[0]!r}; there are {', '.join(map(str, every))}")
    if isinstance(given, pa.Table):
        arrays = _of_table(given.select(names), source)
    else:
        arrays = {name: given[name] for name in names}
    lengths: tuple[int, ...] = ()
    if episode is not None:
        if episode not in arrays:
            raise UserError(f"no column is called {episode!r}; there are {', '.join(map(str, arrays))}")
        try:
            lengths = _lengths(np.asarray(arrays.pop(episode)), episode)
        except ValueError as error:
            raise UserError(f"the column {episode!r} does not number episodes: {said(error)}") from error
    return Columns.of(arrays, lengths=lengths, source=source)


def _meant(pattern: str, name: str) -> bool:
    """Whether a pattern names a column, or one of its numbers once it is spread."""
    return named(pattern, name) or fnmatchcase(name, pattern.partition("[")[0])


def _lengths(numbers: NDArray[Any], name: str) -> tuple[int, ...]:
    """The lengths of stretches of one number each. Raises UserError where a number comes back."""
    if numbers.ndim != 1:
        raise UserError(f"the column {name!r} has the shape {numbers.shape}, expected one number for each step")
    labeled = numbers.dtype.kind != "O" or all(isinstance(each, Hashable) for each in numbers)
    if not labeled or np.any(numbers != numbers):  # no number, or no time
        raise UserError(f"the column {name!r} does not number episodes: give a number or a word for each step")
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


def _parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _csv(path: Path) -> pa.Table:
    from pyarrow import csv

    return csv.read_csv(path)


def _npz(path: Path) -> Mapping[str, Any]:
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def _of_table(table: pa.Table, source: str) -> dict[str, Any]:
    """The columns of an Arrow table as arrays. Raises UserError for a gap, and for what is no number."""
    arrays: dict[str, Any] = {}
    if not table.num_rows:
        raise UserError(f"{source} has no steps: give some hundreds")
    for name in table.column_names:
        column = table[name].combine_chunks()
        if many := column.null_count:
            gaps = "1 gap" if many == 1 else f"{many} gaps"
            raise UserError(f"the column {name!r} of {source} has {gaps}: fill them or leave them out")
        if pa.types.is_fixed_size_list(column.type):
            arrays[name] = numpy_of(column.flatten()).reshape(-1, column.type.list_size)
            continue
        arrays[name] = numpy_of(column)
        if arrays[name].dtype.kind not in "biuf":
            arrays[name] = np.asarray(column.to_pylist(), dtype=object)
    return arrays


READERS: dict[str, Callable[[Path], Given]] = {f".{PARQUET}": _parquet, ".csv": _csv, ".npz": _npz}
