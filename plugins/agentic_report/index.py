"""The runs, benches and sweeps in a folder, a line for each."""

import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final
from urllib.parse import quote

from agentic.errors import UserError
from agentic.runs import RunFolder, number_of
from agentic_report.bench_folder import Bench
from agentic_report.listing.listed import Listed, earned
from agentic_report.listing.places import is_bench, is_sweep
from agentic_report.reading import mapping
from agentic_report.wording import enumerated, moment, number, span

PAGE = "report.html"  # in the folder of what it tells of


@final
@dataclass(frozen=True)
class Entry:
    """One line: a run, a bench or a sweep, what in, who, how it ended, what it earned, when, and where its page is."""

    number: str
    folder: str
    date: str
    page: str
    kind: str
    status: str
    environment: str = ""
    agent: str = ""
    earned: str = ""
    interval: str = ""


def entries(folder: Path, beside: Path) -> list[Entry]:
    """Every run, bench and sweep directly in a folder, the newest number first, with links from a page in `beside`.

    What is a link out of the folder is left out.
    """
    home = folder.resolve()
    paths = [path for path in folder.iterdir() if path.is_dir() and path.resolve().is_relative_to(home)]
    paths.sort(key=lambda path: (number_of(path), path.name), reverse=True)
    found = (entry for path in paths if (entry := _entry(path, beside)))
    return [*found]


def _entry(folder: Path, beside: Path) -> Entry | None:
    run, match, written = RunFolder(folder), re.match(r"\d{4,}", folder.name), folder / PAGE
    page = quote(Path(os.path.relpath(written, beside)).as_posix()) if written.is_file() else ""
    entry = partial(Entry, match.group() if match else "", folder.name, moment(run.manifest.get("started")), page)
    if is_sweep(folder) and not is_bench(folder):
        sweep = Listed.of(folder, folder.name)
        return None if sweep is None else entry("sweep", sweep.status, sweep.env, sweep.agent)
    try:
        bench = Bench.open(folder)
    except UserError as error:  # the others are worth a line all the same
        return entry("bench", f"cannot be read: {error}")
    if bench:
        ended = f"unfinished: {bench.unfinished}" if bench.unfinished else run.status
        return entry("bench", ended, enumerated(bench.worlds), f"{len(bench.agents)} agents")
    if not run.manifest and not run.chunks():
        return None
    env, agent = (str(mapping(run.experiment.get(t)).get(k) or "") for t, k in (("env", "id"), ("agent", "name")))
    found = earned(folder, run.manifest)
    return entry("run", run.status, env, agent, number(found.get("mean")), span(found.get("low"), found.get("high")))
