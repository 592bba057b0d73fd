"""The runs and benches in a folder, a line for each."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from urllib.parse import quote

from agentic import Record
from agentic.errors import UserError
from agentic.metrics import mean_interval
from agentic.runs import RunFolder
from agentic_report.bench_folder import Bench
from agentic_report.reading import mapping
from agentic_report.wording import enumerated, moment, number, span

PAGE = "report.html"  # in the folder of what it tells of


@final
@dataclass(frozen=True)
class Entry:
    """One line: a run or a bench, what in, who, how it ended, what it earned, when, and where its page is."""

    number: str
    folder: str
    kind: str
    environment: str
    agent: str
    status: str
    earned: str
    interval: str
    date: str
    page: str


def entries(folder: Path, beside: Path) -> list[Entry]:
    """Every run and bench directly in a folder, the newest number first, with links from a page in `beside`."""
    paths = (path for path in sorted(folder.iterdir(), reverse=True) if path.is_dir())
    found = (entry for path in paths if (entry := _entry(path, beside)))
    return [*found]


def _entry(folder: Path, beside: Path) -> Entry | None:
    run = RunFolder(folder)
    manifest = run.manifest
    match = re.match(r"\d{4,}", folder.name)
    written = folder / PAGE
    page = quote(Path(os.path.relpath(written, beside)).as_posix()) if written.is_file() else ""
    place = (match.group() if match else "", folder.name)
    date, status = moment(manifest.get("started")), str(manifest.get("status") or "unknown")
    try:
        bench = Bench.open(folder)
    except UserError as error:  # the others are worth a line all the same
        return Entry(*place, "bench", "", "", f"cannot be read: {error}", "", "", date, page)
    if bench:
        ended = f"unfinished: {bench.unfinished}" if bench.unfinished else status
        return Entry(
            *place, "bench", enumerated(bench.worlds), f"{len(bench.agents)} agents", ended, "", "", date, page
        )
    if not manifest and not run.chunks():
        return None
    experiment = run.experiment
    environment, agent = (str(mapping(experiment.get(t)).get(k) or "") for t, k in (("env", "id"), ("agent", "name")))
    return Entry(*place, "run", environment, agent, run.status, *_earned(folder), date, page)


def _earned(folder: Path) -> tuple[str, str]:
    """The mean return of the evaluation episodes and its interval."""
    try:
        returns: Any = Record.open(folder).returns("evaluate")
    except (UserError, KeyError):
        return "", ""
    if not len(returns):
        return "", ""
    mean, interval = mean_interval(returns)
    return number(mean), span(interval.low, interval.high)
