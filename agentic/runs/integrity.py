"""The integrity of a record: which of its chunks are what the run wrote, and what is wrong with the others.

The manifest holds the SHA-256 of every finished chunk. A chunk that it does not list, as the last one of a killed run
or those of older records, has to follow from the ticks before it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from agentic.errors import UserError
from agentic.runs.files import is_own, sha256_of
from agentic.runs.folder import Kind, RunFolder
from agentic.runs.images import filled, following, pictures
from agentic.runs.manifest import read
from agentic.runs.table import CHUNK, KEYS, arrow_array, check_schema, check_values, empty_table, numpy_of

Hashes = dict[tuple[Path, int, int], str]  # by path, time of change and size: what was verified already
BUFFER = 2**20  # bytes of a file that are read at once
BATCH = 64  # ticks that are read at once where few are wanted
BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, pa.ArrowException)


@final
@dataclass(frozen=True)
class Integrity:
    """The sound chunks of each kind, in order, and a sentence on everything that is missing, foreign or damaged.

    `problems` are of what was recorded, `remarks` of the experiment and the measurements beside it.
    """

    ticks: list[Path] = field(default_factory=list)
    candidates: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: RunFolder, known: Hashes | None = None) -> "Integrity":
        """What can be said of the files in a run's folder as they are now."""
        found, filling = cls(), folder.partial_file.exists()
        manifest: Mapping[str, Any] = {}
        if folder.manifest_file.exists():
            try:
                manifest = read(folder)
            except UserError as error:
                found.problems.append(str(error))
        found.remarks.extend(_beside(folder, manifest))
        kinds: dict[Kind, list[Path]] = {"ticks": found.ticks, "candidates": found.candidates}
        for kind, sound in kinds.items():
            found.problems.extend(_listed(folder, kind, manifest, sound, {} if known is None else known))
            found.problems.extend(_others(folder, kind, manifest, sound))
        if not found.problems and "chunks" not in manifest:
            found.problems.extend(_counts(found.ticks, manifest))
        if filling and not folder.partial_file.exists():  # it became a chunk meanwhile
            return cls.of(folder, known)
        return found


def read_chunk(path: Path, columns: Sequence[str] | None = None, where: pc.Expression | None = None) -> pa.Table:
    """The columns of one Parquet file that are there, of the ticks `where` something holds for phase, row, episode, t.

    Raises UserError where its pages are not what was written.
    """
    try:
        with _opened(path) as raw, pq.ParquetFile(raw, page_checksum_verification=True, buffer_size=BUFFER) as file:
            check_schema(file.schema_arrow, file.metadata.num_rows)
            present = file.schema_arrow.names
            wanted = [name for name in (present if columns is None else columns) if name in present]
            after = pictures(wanted, file.schema_arrow)
            more = [*(KEYS if after or where is not None else ()), *(name.removeprefix("next_") for name in after)]
            names = list(dict.fromkeys([*wanted, *(name for name in more if name in present)]))
            found = filled(file.read(names)) if where is None else _needed(file, names, where)
            check_values(found)
            return (found if where is None else found.filter(where)).select(wanted)
    except BROKEN as error:
        raise UserError(f"{path} is not a chunk of a record: {' '.join(str(error).split())}") from error


def columns_of(path: Path) -> list[str]:
    """The names of the columns in one Parquet file. Raises UserError where it is none."""
    try:
        with _opened(path) as raw:
            return list(pq.read_schema(raw).names)
    except BROKEN as error:
        raise UserError(f"{path} is not a chunk of a record: {' '.join(str(error).split())}") from error


def _opened(path: Path) -> pa.NativeFile:
    """A file to read, whatever bytes its name consists of: Arrow takes a text for UTF-8."""
    return pa.OSFile(os.fsencode(path))


def _needed(file: pq.ParquetFile, names: list[str], where: pc.Expression) -> pa.Table:
    """The ticks `where` something holds and those that follow them, which have their pictures; a few at a time."""
    keys = file.read(list(KEYS))
    places = numpy_of(keys.append_column("place", arrow_array(np.arange(len(keys)))).filter(where)["place"])
    wanted, start = np.union1d(places, following(keys)[places]), 0
    found = [empty_table(file.schema_arrow).select(names)]
    for batch in file.iter_batches(BATCH, columns=names) if len(places) else ():
        inside = wanted[(wanted >= start) & (wanted < start + len(batch))] - start
        found.append(pa.Table.from_batches([batch.take(arrow_array(inside))]).select(names))
        start += len(batch)
    return filled(pa.concat_tables(found), np.isin(wanted[wanted >= 0], places))


def partial_number(folder: RunFolder) -> int | None:
    """The place of the chunk that is being filled, where there are ticks of it that no finished chunk has."""
    if not is_own(folder.partial_file):
        return None
    beyond = max(map(folder.number, folder.chunks()), default=-1) + 1
    try:
        with _opened(folder.partial_file) as raw:
            number = int((pq.read_schema(raw).metadata or {})[CHUNK])
    except BROKEN:
        return beyond  # where reading it says what is wrong
    return None if is_own(folder.chunk("ticks", number)) else number


def _beside(folder: RunFolder, manifest: Mapping[str, Any]) -> Iterator[str]:
    file, known = folder.experiment_file, manifest.get("experiment")
    if known is not None and known != _hash(file, {}):
        yield f"{file} is not the one the run was made from"
    if folder.measurements_file.exists() and not folder.measurements:
        yield f"{folder.measurements_file} is damaged: it is not what was written, and measuring again replaces it"


def _refused(folder: RunFolder, status: Any) -> str:
    """Why the ticks of the chunk being filled are none of the run with that status; empty where they are.

    The manifest is read after them, and told before they are replaced.
    """
    found, manifest = _hash(folder.partial_file, {}), folder.manifest
    if status == "finished":
        return f"{folder.partial_file} is not of this run, which finished"
    if manifest.get("partial") is not None and found not in _announced(manifest):
        return f"{folder.partial_file} is damaged: its bytes are not those the run wrote"
    return ""


def _announced(manifest: Mapping[str, Any]) -> Sequence[Any]:
    """The SHA-256 of what the run was about to write."""
    known = manifest.get("partial")
    return known if isinstance(known, list) else ()


def _listed(
    folder: RunFolder, kind: Kind, manifest: Mapping[str, Any], sound: list[Path], known: Hashes
) -> Iterator[str]:
    """What is wrong with the chunks of a kind that the manifest lists; the others are put into `sound`."""
    files = {path.name: path for path in folder.chunks(kind)}
    entries = _mapping(manifest.get("chunks"))
    for name in sorted(entries, key=lambda name: (len(name), name)):  # a manifest may have been sorted anew
        entry = entries[name]
        if not str(name).startswith(f"{kind}-"):
            continue
        if name not in files:
            link = (folder.path / name).is_symlink()
            yield f"{folder.path / name} {'is a link out of its folder' if link else 'is missing'}: the run wrote it"
        elif _hash(files[name], known) not in (_mapping(entry).get("sha256"), *_announced(manifest)):
            yield f"{files[name]} is damaged: its bytes are not those the run wrote"
        else:
            sound.append(files[name])


def _others(folder: RunFolder, kind: Kind, manifest: Mapping[str, Any], sound: list[Path]) -> Iterator[str]:
    """What is wrong with the chunks of a kind that the manifest does not list; the others are put into `sound`."""
    listed = _mapping(manifest.get("chunks"))
    others = [(folder.number(path), path) for path in folder.chunks(kind) if path.name not in listed]
    partial = partial_number(folder) if kind == "ticks" else None
    status = manifest.get("status")
    if "chunks" in manifest and status != "running":  # else the last one may not be listed yet
        yield from (f"{path} is not of this run, whose manifest does not list it" for _, path in others)
        others = []
    if partial is not None and (reason := _refused(folder, status)):
        yield reason
    elif partial is not None:
        others.append((partial, folder.partial_file))
    follows = _Follows() if kind == "ticks" and is_own(folder.manifest_file) else None
    if others and follows is not None:
        for path in sound:
            follows.check(path, read_chunk(path))
    number = sum(str(name).startswith(f"{kind}-") for name in listed)
    known = len(sound) == number
    for place, path in others:
        gap = place - number if kind == "ticks" else 0
        if gap > 0:
            yield f"{folder.chunk(kind, number)} {f'and {gap - 1} more are' if gap > 1 else 'is'} missing"
        number = place + 1
        try:
            table = read_chunk(path)
            if follows is not None:
                follows.check(path, table, known=known and gap <= 0)
            sound.append(path)
            known = True
        except UserError as error:
            yield str(error)
            known = False


def _counts(ticks: list[Path], manifest: Mapping[str, Any]) -> Iterator[str]:
    """The steps that a manifest without a list of chunks counts are those that they hold."""
    wanted = {phase: manifest.get(key) for phase, key in (("learn", "steps"), ("evaluate", "evaluation_steps"))}
    if manifest.get("status") != "finished" or None in wanted.values():
        return
    phases = [phase for path in ticks for phase in read_chunk(path, ["phase"])["phase"].to_pylist()]
    for phase, steps in wanted.items():
        if phases.count(phase) != steps:
            yield f"the manifest counts {steps} steps of {phase}, its chunks hold {phases.count(phase)}"


class _Follows:
    """Whether ticks follow from those before: in every row, `t` goes up by 1, or a new episode begins with t = 0."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], tuple[int, int]] = {}  # episode and t by phase and row
        self._schema: pa.Schema | None = None

    def check(self, path: Path, table: pa.Table, *, known: bool = True) -> None:
        """Go on by the ticks of one chunk; where what came before is not `known`, they may begin anywhere.

        Raises UserError where they are of another run.
        """
        schema = table.schema.remove_metadata()
        if self._schema is not None and any(
            schema.field(name) != self._schema.field(name) for name in {*schema.names} & {*self._schema.names}
        ):
            raise UserError(f"{path} is not of this run: its columns are of other types")
        if not {*KEYS} <= {*table.column_names} or any(table[name].null_count for name in KEYS):
            raise UserError(f"{path} is not a chunk of a record: it lacks phase, row, episode or t")
        phase = np.asarray(table["phase"].to_pylist(), str)
        row, episode, t = (numpy_of(table[name]) for name in KEYS[1:])
        last = dict(self._last)
        for key in dict.fromkeys(zip(phase.tolist(), row.tolist(), strict=True)):
            own = (phase == key[0]) & (row == key[1])
            places = np.stack([episode[own], t[own]])
            if known:
                places = np.concatenate([np.array([last.get(key, (-1, 0))]).T, places], 1)
            (jumps, on), begins = np.diff(places), places[1, 1:] == 0
            if not (((jumps == 0) & (on == 1)) | ((jumps == 1) & begins)).all():
                raise UserError(f"{path} is not of this run: its ticks do not follow from those before it")
            last[key] = int(places[0, -1]), int(places[1, -1])
        self._last, self._schema = last, self._schema or schema


def _hash(path: Path, known: Hashes) -> str | None:
    """The SHA-256 of a file of the folder; None where it has none that can be read."""
    if not is_own(path):
        return None
    try:
        status = path.stat()
        key = path, status.st_mtime_ns, status.st_size
        if key not in known:
            known[key] = sha256_of(path)
        return known[key]
    except OSError:
        return None


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
