"""The runs, benches and sweeps in a folder and the runs in those, a line for each."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from urllib.parse import quote

from agentic.errors import UserError, listed
from agentic.runs import number_of
from agentic_report.bench_folder import Bench
from agentic_report.listing.listed import Listed
from agentic_report.listing.places import is_bench, is_sweep, run_folders, subfolders
from agentic_report.wording import number, span

PAGE = "report.html"  # in the folder of what it tells of


@final
@dataclass(frozen=True)
class Entry:
    """One line: what is `listed` in a folder, how it `ended`, where its `page` is, and whether it lies in another."""

    listed: Listed
    ended: str
    page: str = ""
    within: bool = False

    @property
    def name(self) -> str:
        """Its folder; of a run within another the number of that, and where it lies there."""
        home, _, place = self.listed.name.partition("/")
        return f"{home.partition('-')[0]}: {place.removeprefix('units/')}" if self.within else self.listed.name

    @property
    def cells(self) -> list[tuple[str, Any]]:
        """The texts of the columns after the name, in the order of a terminal, and what each is sorted by."""
        row = self.listed
        counts = [("" if each is None else f"{each:,}", each) for each in (row.steps, row.episodes)]
        seed = ("" if row.seed is None else str(row.seed), row.seed)
        earned = ("" if row.mean is None else number(row.mean), row.mean)
        texts = [(text, text) for text in (row.when.removesuffix(" UTC"), row.agent, row.env)]
        return [*texts, seed, *counts, earned, (span(row.low, row.high), row.low), (self.ended, self.ended)]


def entries(folder: Path, beside: Path) -> list[Entry]:
    """Every run, bench and sweep in a folder, the newest number first, each followed by the runs in it.

    Links are those from a page in `beside`. What is a link out of the folder is left out.
    """
    paths = sorted(subfolders(folder, folder), key=lambda path: (number_of(path), path.name), reverse=True)
    return [entry for path in paths for entry in _entries(path, folder, beside)]


def counted(rows: Sequence[Entry]) -> str:
    """How many of each kind there are, and in which order they stand."""
    kinds = [row.listed.kind for row in rows if not row.within]
    counts = [_number_of_kind(kinds.count(kind), kind) for kind in ("run", "bench", "sweep") if kind in kinds]
    inside = sum(row.within for row in rows)
    within = f", each followed by the runs in it ({inside:,} in all)" if inside else ""
    return f"{listed(counts)}, the newest first{within}" if len(rows) > 1 else counts[0]


def _number_of_kind(count: int, kind: str) -> str:
    return f"{count:,} {kind}" if count == 1 else f"{count:,} {kind}{'es' if kind == 'bench' else 's'}"


def _entries(path: Path, home: Path, beside: Path) -> Iterator[Entry]:
    row = Listed.of(path, path.name)
    if row is None:
        return
    yield Entry(row, _ended(row), _page(path, beside))
    if is_bench(path) or is_sweep(path):
        for each in run_folders(path):
            found = Listed.of(each, each.relative_to(home).as_posix())
            if found is not None:
                yield Entry(found, _ended(found), _page(each, beside), within=True)


def _ended(row: Listed) -> str:
    """How it ended, and why; of a bench also how far it came."""
    said = f"{row.status}: {row.note}" if row.note else row.status
    if row.kind != "bench":
        return said
    try:
        bench = Bench.open(row.folder)
    except UserError as error:  # the others are worth a line all the same
        return f"cannot be read: {error}"
    return f"unfinished: {bench.unfinished}" if bench and bench.unfinished else said


def _page(folder: Path, beside: Path) -> str:
    """The address of a page that is there."""
    written = folder / PAGE
    return quote(Path(os.path.relpath(written, beside)).as_posix()) if written.is_file() else ""
