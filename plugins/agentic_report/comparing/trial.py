"""A run as it is compared: its configuration without the seed, what it earned, and how it came there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa

from agentic import Record
from agentic.errors import UserError, listed, suggest
from agentic.runs import Phase, RunFolder, numpy_of
from agentic_report.curves import KEYS, Series, ended_episodes
from agentic_report.listing.listed import flat
from agentic_report.reading import mapping, tables

RETURN = "return"
UNSAID = {
    f"run.{key}" for key in ("seed", "candidates", "world", "checkpoint_minutes", "checkpoint_steps")
}  # change no number
SHORT = 12  # letters of a hash
KINDS = {"agents": "agent", "envs": "env"}  # of components, as the tables of an experiment are called


@final
@dataclass(frozen=True, eq=False)
class Trial:
    """A run: its `settings` by dotted keys, its seed where it is known, and what was seen in each phase.

    `problems` says what of the folder is not sound, `ended` how it ended.
    """

    folder: Path
    settings: Mapping[str, Any]
    seed: int | None
    phases: Mapping[Phase, Series]
    problems: Sequence[str] = ()
    ended: str = "finished"

    @property
    def source(self) -> int | str:
        """What its chance comes from: its seed; of a run whose seed is not known, its folder."""
        return str(self.folder) if self.seed is None else self.seed

    @property
    def world(self) -> str:
        """The id of its environment."""
        return str(self.settings.get("env.id") or "")


def trial(folder: Path, column: str = RETURN) -> Trial:
    """The run in a folder, by the returns of its episodes, or by a column of its ticks.

    Raises UserError where nothing can be read, or the record has no such column of single numbers.
    """
    record, run = Record.salvage(folder), RunFolder(folder)
    problems = record.problems
    if not {*KEYS} <= {*record.columns}:
        raise UserError(problems[0] if problems else "it holds no ticks")
    if column != RETURN and column not in record.columns:
        known = [name for name in record.columns if name not in KEYS]
        raise UserError(f"it recorded no {column!r}{suggest(column, known)}; known: {listed([RETURN, *known])}")
    table = record.table([*KEYS, *({column} - {RETURN, *KEYS})])
    phases: dict[Phase, Series] = {phase: _series(table, phase, column) for phase in ("learn", "evaluate")}
    return Trial(folder, _settings(run), _seed(run), phases, problems, run.status)


def _seed(run: RunFolder) -> int | None:
    """The seed, of the manifest or else of the experiment."""
    known = (run.manifest.get("seed"), mapping(run.experiment.get("run")).get("seed"))
    return next((seed for seed in known if type(seed) is int), None)


def _series(table: pa.Table, phase: Phase, column: str) -> Series:
    ticks = table.filter(pa.compute.equal(table["phase"], phase))
    if column == RETURN:
        ends, values = ended_episodes(table, phase)
        return Series(len(ticks), ends + 1, values)
    kind = ticks.schema.field(column).type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise UserError(f"the column {column!r} holds {kind}: compare one that holds single numbers")
    values = numpy_of(ticks[column].cast("float64"))
    there = np.flatnonzero(~np.isnan(values))
    return Series(len(ticks), there + 1, values[there])


def _settings(run: RunFolder) -> dict[str, Any]:
    """The experiment without what changes no number, and the hashes of files that components are of.

    Of a run of objects, what its manifest says of its components.
    """
    found, rows = flat(run.experiment), [row for row in tables(run.manifest.get("components")) if row.get("kind")]
    if not found:
        for row in reversed(rows):
            name = KINDS.get(str(row["kind"]), str(row["kind"]))
            key = "id" if name == "env" else "name"
            found |= {f"{name}.{key}": row.get("name"), **flat(mapping(row.get("parameters")), f"{name}.")}
    for row in rows:  # a file that was changed since is another component of the same name
        if isinstance(row.get("sha256"), str):
            key = f"{KINDS.get(str(row['kind']), str(row['kind']))}.sha256"
            found[key] = f"{found[key]} {row['sha256'][:SHORT]}" if key in found else row["sha256"][:SHORT]
    return {key: value for key, value in found.items() if key not in UNSAID and key.partition(".")[0] != "loggers"}
