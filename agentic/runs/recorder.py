"""The recorder: ticks in blocks of columns, written as Parquet chunks by a thread of its own."""

import os
from pathlib import Path
from queue import Queue
from threading import Thread

import pyarrow as pa
import pyarrow.parquet as pq

from agentic.environments.environment import Environment
from agentic.errors import RunError
from agentic.runs.candidates import Wanted
from agentic.runs.chunk import Block
from agentic.runs.folder import RunFolder
from agentic.runs.seeds import Phase
from agentic.tick import Tick


class Recorder:
    """Takes ticks, and writes chunks of them into `folder` from a thread of its own (None: keeps them).

    Files depend on nothing but the ticks: no time stamps, one writer, boundaries counted in ticks. Energies and
    belief fields get their column at the first tick that has them; earlier rows of the same chunk are NaN, and earlier
    chunks are without it, which `Record` mends when it reads. Where candidate plans are `wanted`, those of the same
    ticks go to a chunk of their own, which is there before its ticks are.

    Raises RunError of one sentence where the folder cannot be written; what was finished before stays.
    """

    def __init__(self, env: Environment, folder: RunFolder | None, wanted: Wanted | None = None) -> None:
        self._env, self._folder, self._wanted = env, folder, wanted
        self._block = Block(0, 0, env, wanted)
        self._done: dict[int, Block] = {}
        self._failure: Exception | None = None
        self._queue: Queue[Block | None] = Queue(maxsize=1)  # a full queue holds the loop back
        self._thread = Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def add(self, phase: Phase, tick: Tick) -> None:
        """Record the valid rows of one tick."""
        if self._block.add(phase, tick):
            self._hand_over()

    def close(self) -> None:
        """Write what is left and wait for it."""
        if self._thread.is_alive():
            if self._block.ticks:
                self._queue.put(self._block)
            self._queue.put(None)
            self._thread.join()
        self._raise()

    def steps(self, phase: Phase) -> int:
        """Environment steps recorded in finished chunks."""
        return sum(block.steps[phase] for block in self._done.values())

    @property
    def tables(self) -> list[pa.Table]:
        """The finished chunks, where there is no folder for them."""
        return [] if self._folder else [block.table() for block in self._done.values()]

    @property
    def candidates(self) -> list[pa.Table]:
        """The candidate plans of the finished chunks, where there is no folder for them."""
        kept = [] if self._folder else [block.candidates for block in self._done.values()]
        return [rows.table() for rows in kept if rows]

    def _hand_over(self) -> None:
        """Begin the next block; never leave more than 4,096 ticks where `kill -9` would lose them."""
        block = self._block
        self._queue.put(block)  # interrupted here, `close` hands it over again, to the same file
        if 3 * block.room > 4096:  # one being filled, one waiting, one being written
            self._queue.join()
        self._raise()
        self._block = Block(block.index + 1, block.first + block.ticks, self._env, self._wanted)

    def _raise(self) -> None:
        if self._failure is not None:
            reason = getattr(self._failure, "strerror", None) or str(self._failure)
            raise RunError(
                f"the record in {self._folder and self._folder.path} cannot be written: {reason}"
            ) from self._failure

    def _write_all(self) -> None:
        while (block := self._queue.get()) is not None:
            if self._failure is None:
                self._write(block)
            self._queue.task_done()

    def _write(self, block: Block) -> None:
        try:
            table = block.table()
            if self._folder is not None:
                if block.candidates:
                    write_chunk(block.candidates.table(), self._folder.chunk("candidates", block.index))
                write_chunk(table, self._folder.chunk("ticks", block.index))
                block.clear()
            self._done[block.index] = block
        except Exception as error:  # raised again where the loop is
            self._failure = error


def write_chunk(table: pa.Table, path: Path) -> None:
    """Write one Parquet file under a temporary name, then rename it: it is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    keys = [name for name in ("phase", "episode", "row", "t") if name in table.column_names]
    with open(part, "wb") as file:
        pq.write_table(table, file, use_dictionary=False, compression="snappy", write_statistics=keys)
    os.replace(part, path)
