"""The recorder: ticks in blocks of columns, written as Parquet chunks by a thread of its own."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agentic.environments.environment import Environment
from agentic.errors import RunError, UserError
from agentic.runs.candidates import Wanted
from agentic.runs.chunk import Block
from agentic.runs.files import is_own, sha256_of, whole
from agentic.runs.folder import Kind, RunFolder
from agentic.runs.images import filled, packed
from agentic.runs.integrity import read_chunk
from agentic.runs.manifest import Manifest
from agentic.runs.seeds import Phase
from agentic.runs.table import CHUNK, empty_table, joined
from agentic.tick import Tick

Tables = dict[Kind, pa.Table]
INTERVAL = 5.0  # seconds after which a chunk that is being filled is saved once more


class Recorder:
    """A writer of ticks: chunks of them go into `folder` from a thread of its own (None: they are kept in memory).

    Files depend on nothing but the ticks: no time stamps, one writer, boundaries counted in ticks. Energies and
    belief fields get their column at the first tick that has them; earlier rows of the same chunk are NaN, and earlier
    chunks are without it, which `Record` mends when it reads. Where candidate plans are `wanted`, those of the same
    ticks go to a chunk of their own, which is there before its ticks are. Finished chunks are entered in the
    `manifest`, where there is one. A chunk that is being filled is saved every 5 s to a file that is replaced by it, so
    that time decides over nothing but that file. `states` reads the state of the world that ticks are to have.

    Raises RunError of one sentence where the folder cannot be written; what was finished before stays.
    """

    unchanged = ("_env", "_folder", "_wanted", "_manifest", "_writer", "_writing", "_saved", "states")

    def __init__(
        self,
        env: Environment,
        folder: RunFolder | None,
        wanted: Wanted | None = None,
        manifest: Manifest | None = None,
        states: Callable[[], Mapping[str, np.ndarray]] | None = None,
    ) -> None:
        self._env, self._folder, self._wanted, self._manifest = env, folder, wanted, manifest
        self._block, self.states = Block(0, 0, env, wanted), states
        self._done: dict[int, tuple[Counter[Phase], Tables]] = {}
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        self._saved = time.monotonic()

    def add(self, phase: Phase, tick: Tick) -> Mapping[str, np.ndarray]:
        """Record the valid rows of one tick; the columns of its decision."""
        block = self._block
        if block.add(phase, tick):
            self._hand_over()
        elif self._folder is not None and time.monotonic() - self._saved >= INTERVAL:
            self._save(self._folder)
        return block.decided

    def close(self) -> None:
        """Write what is left and wait for it."""
        if self._block.ticks:
            self._hand_over()
        self._wait()
        self._writer.shutdown()
        if self._folder is not None and self._manifest is not None:
            self._complete(self._folder.chunks(), self._manifest)
            self._folder.link()

    def settle(self) -> None:
        """Wait until every chunk that is full is written."""
        self._wait()

    def rewind(self, folder: RunFolder) -> None:
        """Drop what the folder holds of the ticks after those of this recorder, put back to a checkpoint's."""
        for path in [*folder.chunks(), *folder.chunks("candidates")]:
            if folder.number(path) >= self._block.index:
                path.unlink()
                if self._manifest is not None:
                    self._manifest.drop(path)
        folder.unlink()

    def check(self, folder: RunFolder) -> None:
        """Raises UserError where chunks that were finished before are not as they were written."""
        known = {} if self._manifest is None else self._manifest.content
        kinds: list[Kind] = ["ticks"] if self._wanted is None else ["ticks", "candidates"]
        for path in (folder.chunk(kind, index) for kind in kinds for index in range(self._block.index)):
            entry = known.get("chunks", {}).get(path.name)
            found = sha256_of(path) if is_own(path) and isinstance(entry, dict) else None
            if found is None or found not in (entry["sha256"], *known.get("partial", ())):
                raise UserError(f"{path} is not as the run wrote it: the run cannot go on after it")
            known["chunks"][path.name] = {**entry, "sha256": found}  # one killed at its end may not have said so

    def before(self, folder: RunFolder) -> list[pa.Table]:
        """The ticks so far: those of the finished chunks, and of the one being filled."""
        paths = (folder.chunk("ticks", index) for index in range(self._block.index))
        return [*map(read_chunk, paths), self._block.table()]

    @property
    def counts(self) -> dict[str, int]:
        """The steps of experience and of evaluation in finished chunks, as the manifest has them."""
        total = sum((steps for steps, _ in self._done.values()), Counter[Phase]())
        return {"steps": total["learn"], "evaluation_steps": total["evaluate"]}

    @property
    def tables(self) -> list[pa.Table]:
        """The finished chunks, where there is no folder for them."""
        return [tables["ticks"] for _, tables in self._done.values() if "ticks" in tables]

    @property
    def candidates(self) -> list[pa.Table]:
        """The candidate plans of the finished chunks, where there is no folder for them."""
        return [tables["candidates"] for _, tables in self._done.values() if "candidates" in tables]

    def _hand_over(self) -> None:
        """Begin the next block; never leave more than 4,096 ticks where `kill -9` would lose them."""
        block = self._block
        self._wait()
        self._writing = self._writer.submit(self._write, block)  # interrupted from here on, `close` writes it again
        if 2 * block.room > 4096:  # one being filled, one being written
            self._wait()
        self._saved = time.monotonic()
        self._block = Block(block.index + 1, block.first + block.ticks, self._env, self._wanted)

    def _save(self, folder: RunFolder) -> None:
        """Save the ticks that a `kill -9` would lose, unless something is being written already."""
        self._saved = time.monotonic()
        if self._writing is None or self._writing.done():
            self._wait()
            table = self._block.table()
            marked = table.replace_schema_metadata({**(table.schema.metadata or {}), CHUNK: str(self._block.index)})
            self._writing = self._writer.submit(self._replace, marked, folder.partial_file)

    def _replace(self, table: pa.Table, path: Path) -> None:
        """Write the ticks of the chunk that is being filled; the manifest knows their bytes before they are there."""
        data = pa.BufferOutputStream()
        _parquet(table, data)
        content = data.getvalue()
        if self._manifest is not None:
            self._manifest.announce(sha256(content).hexdigest())
        with whole(path) as file:
            file.write(content)

    def _complete(self, chunks: Sequence[Path], manifest: Manifest) -> None:
        """Give every chunk the columns of all, null where it has none: who reads a folder takes the first for all."""
        empty = [empty_table(pq.read_schema(path)) for path in chunks]
        every = joined(empty) if empty else pa.table({})
        for path, own in zip(chunks, empty, strict=True):
            if own.column_names != every.column_names:
                self._replace(joined([every, filled(pq.read_table(path))]), path)
                entry = manifest.content["chunks"][path.name]
                manifest.enter(path, ticks=entry["ticks"], rows=entry["rows"])

    def _wait(self) -> None:
        try:
            if self._writing is not None:
                self._writing.result()
        except RunError:
            raise
        except Exception as error:
            place, reason = self._folder and self._folder.path, getattr(error, "strerror", None) or str(error)
            raise RunError(f"the record in {place} cannot be written: {reason}") from error

    def _write(self, block: Block) -> None:
        tables: Tables = {"candidates": block.candidates.table()} if block.candidates else {}
        tables["ticks"] = block.table()
        if self._folder is not None:
            for kind, table in tables.items():
                path = self._folder.chunk(kind, block.index)
                write_chunk(table, path)
                if self._manifest is not None:
                    self._manifest.enter(path, ticks=block.ticks, rows=len(table))
            self._folder.partial_file.unlink(missing_ok=True)
            tables = {}
        self._done[block.index] = block.steps, tables


def write_chunk(table: pa.Table, path: Path) -> None:
    """Write one Parquet file, with a checksum of every page: it is there whole or not at all."""
    with whole(path) as file:
        _parquet(table, file)


def _parquet(table: pa.Table, file: IO[bytes] | pa.NativeFile) -> None:
    table = packed(table)
    keys = [name for name in ("phase", "episode", "row", "t") if name in table.column_names]
    pq.write_table(
        table, file, use_dictionary=False, compression="snappy", write_statistics=keys, write_page_checksum=True
    )
