"""The record of a run: columns of what happened, written in chunks and read lazily.

At any moment, whatever happens to the process, every finished chunk opens, and at most 4,096 ticks and those of 5 s are
lost. What was damaged afterwards is found when it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agentic.errors import UserError
from agentic.runs.folder import Kind, RunFolder
from agentic.runs.images import bytes_of
from agentic.runs.integrity import Hashes, Integrity, columns_of, partial_number, read_chunk
from agentic.runs.manifest import read
from agentic.runs.seeds import Phase
from agentic.runs.table import NAMES, PHASES, joined, numpy_of, shapes_of
from agentic.showing import Shown, pandas

if TYPE_CHECKING:
    from pandas import DataFrame

EPISODES = ("phase", "episode", "row", "reward", "terminated", "truncated")  # columns of which returns are made


@dataclass(frozen=True)
class EpisodeRecord:
    """One episode of one row: its columns as arrays (t, *event), and whether it came to its end."""

    phase: Phase
    row: int
    episode: int
    arrays: Mapping[str, np.ndarray]

    @property
    def length(self) -> int:
        """The number of steps."""
        return len(self.arrays["reward"])

    @property
    def total(self) -> float:
        """The return: the undiscounted sum of rewards."""
        return float(self.arrays["reward"].sum())

    @property
    def complete(self) -> bool:
        """Whether the episode ended while it was recorded."""
        return bool(self.arrays["terminated"][-1] or self.arrays["truncated"][-1])


class Record(Shown):
    """The record of a run, in a folder or in memory. Nothing is read before it is asked for.

    A folder in which files are missing, foreign or damaged raises UserError when it is read, but for what `salvage`
    opened.

    >>> import agentic
    >>> record = agentic.run(lambda observation: 1, "CartPole-v1", episodes=3, out=None)
    >>> record.returns()
    array([10., 10.,  9.])
    >>> record.table(["t", "action", "reward"]).num_rows
    29
    """

    def __init__(
        self,
        folder: Path | None = None,
        tables: Sequence[pa.Table] = (),
        manifest: Mapping[str, Any] | None = None,
        candidates: Sequence[pa.Table] = (),
    ) -> None:
        self.folder = folder
        self._tables, self._candidates = list(tables), list(candidates)
        self._manifest = manifest
        self._salvaged = False
        self._verified: Hashes = {}

    @classmethod
    def open(cls, folder: str | Path) -> "Record":
        """The record in a run's folder, finished or not. Raises UserError where there is none."""
        found = RunFolder(folder)
        found.check()
        return cls(found.path)

    @classmethod
    def salvage(cls, folder: str | Path) -> "Record":
        """The record of all that is sound in a run's folder, as `open`; `problems` says what is not."""
        record = cls.open(folder)
        record._salvaged = True
        return record

    @property
    def problems(self) -> list[str]:
        """A sentence on every file of the folder that is missing, of another run, or not as it was written."""
        if self.folder is None:
            return []
        found = Integrity.of(RunFolder(self.folder), self._verified)
        return found.problems + found.remarks

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest: what ran, and how it ended."""
        if self._manifest is not None:
            return self._manifest
        if self.folder is None:
            return {}
        return RunFolder(self.folder).manifest if self._salvaged else read(RunFolder(self.folder))

    def brief(self) -> Mapping[str, object]:
        """Who did what where, and how it ended, as far as the manifest says it."""
        content = self._manifest or ({} if self.folder is None else RunFolder(self.folder).manifest)
        rows = content.get("components")
        there = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        named = {row.get("kind"): row.get("name") for row in reversed(there)}
        counts = {name: content.get(name) or None for name in ("status", "steps", "evaluation_steps")}
        return {
            "agent": named.get("agents"),
            "env": named.get("envs"),
            **counts,
            "folder": self.folder and str(self.folder),
        }

    def facts(self) -> Mapping[str, object]:
        """The same with returns, or with what is wrong with the record."""
        try:
            found = self.returns()
        except (UserError, KeyError) as error:
            return {**self.brief(), "problem": str(error)}
        mean = f"mean {found.mean():.4g}, from {found.min():.4g} to {found.max():.4g}" if len(found) else ""
        return {**self.brief(), "episodes": f"{len(found)} complete ones evaluated", "returns": mean}

    @property
    def chunks(self) -> list[Path]:
        """The Parquet files of ticks, in order, also that of a chunk being filled; none for a record in memory."""
        if self.folder is None:
            return []
        folder = RunFolder(self.folder)
        return folder.chunks() + ([] if partial_number(folder) is None else [folder.partial_file])

    @property
    def columns(self) -> list[str]:
        """The names of all columns, found without reading them."""
        named = [table.column_names for table in self._tables] or [columns_of(path) for path in self._sound("ticks")]
        return list(dict.fromkeys(name for names in named for name in names))

    def table(self, columns: Sequence[str] | None = None, where: pc.Expression | None = None) -> pa.Table:
        """All ticks, or some of their columns, as one Arrow table in the order they happened.

        `where` is a condition on phase, row, episode and t: no other ticks are kept.
        """
        tables = self._tables or self._read("ticks", columns, where)
        if not tables:
            return pa.table({})
        try:
            found = joined(
                [table.filter(where) for table in self._tables] if self._tables and where is not None else tables
            )
        except pa.ArrowException as error:
            raise UserError(
                f"the chunks of {self.folder} are not of one run: {' '.join(str(error).split())}"
            ) from error
        if missing := set(columns or ()) - set(found.column_names):
            raise UserError(f"the record has no column {sorted(missing)}, only {found.column_names}")
        return found if columns is None else found.select(columns)

    def to_pandas(self, columns: Sequence[str] | None = None, where: pc.Expression | None = None) -> "DataFrame":
        """The same as a pandas DataFrame, arrays as cells of a column. Raises UserError without pandas."""
        pandas()
        return self.table(columns, where).to_pandas()

    def candidates(self) -> pa.Table:
        """The candidate plans that were recorded, one row each, in the order of the ticks and best first.

        `plan` holds the actions one after the other; `numpy.reshape` gives them back their shape, which the schema's
        metadata has under "shapes". Without columns where none were asked for.
        """
        tables = self._candidates or self._read("candidates")
        return joined(tables) if tables else pa.table({})

    def _sound(self, kind: Kind) -> list[Path]:
        if self.folder is None:
            return []
        found = Integrity.of(RunFolder(self.folder), self._verified)
        if found.problems and not self._salvaged:
            more = f" (and {len(found.problems) - 1} more)" if len(found.problems) > 1 else ""
            raise UserError(f"{found.problems[0]}{more}; Record.salvage reads the rest")
        return found.ticks if kind == "ticks" else found.candidates

    def _read(
        self, kind: Kind, columns: Sequence[str] | None = None, where: pc.Expression | None = None
    ) -> list[pa.Table]:
        paths = self._sound(kind)
        try:
            return [read_chunk(path, columns, where) for path in paths]
        except UserError:
            if all(path.exists() for path in paths):
                raise
            return self._read(kind, columns, where)  # what was being filled became a chunk meanwhile

    def episodes(self, phase: Phase | None = None, where: pc.Expression | None = None) -> list[EpisodeRecord]:
        """Every episode, complete or not, in the fixed order phase, row, episode; of the ticks `where`, as `table`."""
        table = self.table(where=where)
        arrays = {name: _array(table, name) for name in table.column_names if name not in ("phase", "row", "episode")}
        return [
            EpisodeRecord(name, row, episode, {key: array[rows] for key, array in arrays.items()})
            for name, row, episode, rows in _groups(table)
            if phase in (None, name)
        ]

    def episode(self, number: int, phase: Phase = "evaluate") -> EpisodeRecord:
        """One episode, complete or not, by its place in `episodes(phase)` from 0 on; no other is read.

        Raises UserError where there is none.
        """
        places = self.table(["row", "episode"], pc.field("phase") == phase) if self.columns else pa.table({})
        rows = {(row["row"], row["episode"]) for row in places.to_pylist()}
        if not 0 <= number < len(rows):
            known = f"0 to {len(rows) - 1}" if rows else "none"
            raise UserError(f"there is no episode {number} of the phase {phase}; known: {known}")
        row, episode = sorted(rows)[number]
        return self.episodes(phase, (pc.field("row") == row) & (pc.field("episode") == episode))[0]

    def returns(self, phase: Phase = "evaluate") -> np.ndarray:
        """The return of every complete episode of a phase, in the order row, episode, (n,) float64."""
        table = self.table(EPISODES)
        if not len(table):
            return np.empty(0)
        reward, ended = _array(table, "reward"), _array(table, "terminated") | _array(table, "truncated")
        groups = [rows for name, _, _, rows in _groups(table) if name == phase]
        return np.array([reward[rows].sum() for rows in groups if ended[rows[-1]]], np.float64)


def evaluated(folder: RunFolder) -> np.ndarray:
    """The returns of a run that just ended, as `Record.returns` has them, from no more chunks than hold evaluation."""
    tables = list[pa.Table]()
    for path in reversed(folder.chunks()):
        tables.insert(0, read_chunk(path, EPISODES))
        if "learn" in tables[0]["phase"].slice(0, 1).to_pylist():
            break
    return Record(tables=tables).returns()


def _groups(table: pa.Table) -> list[tuple[Phase, int, int, np.ndarray]]:
    """The places of each episode's ticks in a table, in the order phase, row, episode."""
    if not len(table):
        return []
    phase = numpy_of(pc.index_in(table["phase"], NAMES))
    row, episode = _array(table, "row"), _array(table, "episode")
    order = np.lexsort((np.arange(len(row)), episode, row, phase))
    keys = np.stack([phase, row, episode])[:, order]
    cuts = np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(0)) + 1
    return [(PHASES[phase[rows[0]]], int(row[rows[0]]), int(episode[rows[0]]), rows) for rows in np.split(order, cuts)]


def _array(table: pa.Table, name: str) -> np.ndarray:
    """One column as (n, *shape); null (a column that a chunk did not have) as NaN."""
    column = table[name].combine_chunks()
    if pa.types.is_fixed_size_binary(column.type):
        return bytes_of(table[name]).reshape(-1, *shapes_of(table)[name])
    if not pa.types.is_fixed_size_list(column.type):
        return numpy_of(column)
    shape = shapes_of(table)[name]
    if column.null_count:
        out = np.full((len(column), column.type.list_size), np.nan)
        out[numpy_of(column.is_valid())] = numpy_of(column.flatten()).reshape(-1, out.shape[1])
        return out.reshape(-1, *shape)
    return numpy_of(column.flatten()).reshape(-1, *shape)
