"""How far a run is, on standard error: bars on a terminal, now and then a plain line elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bars, TextColumn, TimeRemainingColumn

from agentic.experiments.experiment import Experiment
from agentic.runs.run import Progress

Observer = Callable[[Progress], None]
SECONDS = 5.0  # between plain lines
LABELS = {"learn": "experience", "evaluate": "evaluation"}


@contextmanager
def progress(experiment: Experiment, *, quiet: bool = False) -> Iterator[Observer | None]:
    """What to give a run as its observer; None where nothing is to be shown."""
    totals = {"learn": experiment.learn.steps, "evaluate": experiment.evaluate.episodes}
    console = Console(stderr=True, highlight=False)
    if quiet:
        yield None
    elif console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bars(*columns, console=console) as bars:
            tasks = {phase: bars.add_task(LABELS[phase], total=total) for phase, total in totals.items() if total}
            yield _throttled(lambda told: bars.update(tasks[told.phase], completed=_done(told)), 0.1, totals)
    else:
        yield _throttled(lambda told: print(_line(told, totals), file=console.file, flush=True), SECONDS, totals)


def _throttled(show: Observer, seconds: float, totals: dict[str, int]) -> Observer:
    """Show at most every so many seconds, and at the end of a phase."""
    last = monotonic()

    def observe(told: Progress) -> None:
        nonlocal last
        now = monotonic()
        if now - last >= seconds or _done(told) == totals[told.phase]:
            last = now
            show(told)

    return observe


def _done(told: Progress) -> int:
    return told.steps if told.phase == "learn" else told.episodes


def _line(told: Progress, totals: dict[str, int]) -> str:
    unit = "steps" if told.phase == "learn" else f"episodes, {told.steps:,} steps"
    return f"{LABELS[told.phase]}: {_done(told):,} of {totals[told.phase]:,} {unit}"
