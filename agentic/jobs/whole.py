"""The whole that jobs are parts of: found again by its settings, locked while they are at work, its tables kept."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentic.jobs.executor import Executor
from agentic.jobs.folder import UnitFolder, writing
from agentic.jobs.lock import alone
from agentic.runs import Manifest, RunFolder, describe, number_of, write_whole


@contextmanager
def at_work(
    file: Path, settings: str, executor: Executor, write: Callable[[], object], **about: Any
) -> Iterator[dict[str, Any]]:
    """A block in which jobs are carried out in the folder of `file`, by nobody else, with `settings` as its text.

    However the block ends, `write` is called, for the tables of the whole, and the manifest says how it ended; that of
    a block which finishes says, too, what the block puts into the mapping. `about` is there from the beginning. Raises
    UserError where another process is at work there, or the folder cannot be written.
    """
    folder = file.parent
    with alone(folder):
        UnitFolder(folder).check_writable()
        with writing(folder):
            write_whole(file, settings)
        content = {**describe(), **about, "workers": executor.workers, "executor": executor.name}
        manifest, found = Manifest(RunFolder(folder), content), dict[str, Any]()
        try:
            yield found
        except BaseException as error:
            write()
            manifest.finish("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        write()
        manifest.finish("finished", **found)


def newest(
    out: str | Path, kind: str, tables: Mapping[str, Any], read: Callable[[Path], Mapping[str, Any]]
) -> Path | None:
    """The folder in `out` with the largest number whose settings, as `read` finds them, are the same `tables`.

    Its name says that it is of that `kind`, which is the table of what the whole asks for itself. With another
    `time_limit` it is the same: no result depends on it. None where there is no such folder.
    """
    wanted = _identity(tables, kind)
    found = sorted(Path(out).glob(f"[0-9][0-9][0-9][0-9]*-{kind}-*"), key=number_of, reverse=True)
    return next((path for path in found if _identity(read(path), kind) == wanted), None)


def _identity(tables: Mapping[str, Any], kind: str) -> str:
    """The tables as a text, which tells apart those whose results may differ."""
    own, others = tables.get(kind), {name: table for name, table in tables.items() if name != kind}
    kept = {key: value for key, value in own.items() if key != "time_limit"} if isinstance(own, Mapping) else own
    return repr((kept or None, others))
