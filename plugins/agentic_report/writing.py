"""The page of a folder: everything is read from the folder, and everything is in the page."""

from pathlib import Path
from shlex import quote
from typing import Any

from agentic.errors import RunError, UserError
from agentic.runs import RunFolder, write_whole
from agentic_bench import BenchFolder
from agentic_report.bench_folder import Bench
from agentic_report.bench_page import bench_page
from agentic_report.index import PAGE, counted, entries
from agentic_report.listing.finding import SAID
from agentic_report.listing.places import is_bench, is_sweep
from agentic_report.rendering import render
from agentic_report.run_page import run_page


def report(folder: str | Path, out: str | Path | None = None, *, trust: bool = False) -> Path:
    """Write the page of a run or a bench, or the index of a folder of those, and return where it is.

    `out` is the file to write; by default `report.html` in the folder, `index.html` for the index. The page is one file
    that asks for nothing else, and depends on nothing but the folder: writing it again gives the same bytes. What is
    missing or half written is left out and said. Replays make worlds again; what only the folder names is run where
    there is `trust`. Raises UserError for a folder that holds none of these, RunError where
    the page cannot be written.
    """
    folder = Path(folder)
    name, values = _content(folder, Path(out).parent if out is not None else folder, trust)
    page = Path(out) if out is not None else folder / ("index.html" if name == "index" else PAGE)
    try:
        write_whole(page, render(name, **values) + "\n")
    except OSError as error:
        raise RunError(f"the page {page} cannot be written: {error.strerror}; give another file") from error
    return page


def _content(folder: Path, beside: Path, trust: bool) -> tuple[str, dict[str, Any]]:
    """The name of the template and what it is filled with, for a page in `beside`."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}: expected that of a run, of a bench, or of several of them")
    if is_sweep(folder) and not is_bench(folder):
        where = quote(str(folder))
        raise UserError(f"{folder} is a sweep: its page is made by agentic compare {where} --html {where}/{PAGE}")
    if bench := Bench.open(folder):
        return "bench", bench_page(bench, trust=trust)
    if RunFolder(folder).holds_run:
        return "run", run_page(folder, trust=trust)
    if rows := entries(folder, beside):
        title = f"All in {folder.resolve().name}"
        return "index", {"title": title, "rows": rows, "columns": SAID, "counted": counted(rows)}
    expected = f"{RunFolder(folder).manifest_file.name}, {BenchFolder.CELLS}"
    raise UserError(f"{folder} holds no run and no bench: expected {expected}, or folders with these")
