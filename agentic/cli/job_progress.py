"""The progress of many jobs, on standard error: a bar with the time left on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from agentic.cli.terminal import console, say

if TYPE_CHECKING:
    from agentic.jobs import Observer, Unit

SECONDS = 5.0  # between plain lines


@contextmanager
def following(folder: Path | None, *, quiet: bool) -> "Iterator[Observer | None]":
    """The observer for what carries out jobs: a bar on a terminal, else now and then a line, after the folder."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if quiet:
        yield None
        return
    printed = console(stderr=True)
    if folder is not None:
        say(str(folder), err=True)
    if printed.is_terminal and not printed.is_dumb_terminal:
        label = TextColumn("{task.description}", markup=False)
        with Progress(label, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=printed) as bars:
            bar = bars.add_task("starting", total=None)
            yield lambda unit, done, total: bars.update(bar, description=unit.label, completed=done, total=total)
    else:
        yield _lines()


def _lines() -> "Observer":
    begun = last = monotonic()
    first = 0

    def observe(unit: "Unit", done: int, total: int) -> None:
        nonlocal last, first
        first = first or done
        now = monotonic()
        if now - last >= SECONDS or done == total:
            last = now
            left = (now - begun) / (done - first + 1) * (total - done)
            say(f"{done} of {total} done, about {left:.0f} s left: {unit.label}", err=True)

    return observe
