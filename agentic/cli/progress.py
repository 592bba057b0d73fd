"""The progress of a run, on standard error: bars on a terminal, now and then a plain line elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bars, TextColumn, TimeRemainingColumn

from agentic.cli.nearby import find_nearby
from agentic.cli.terminal import say
from agentic.experiments.experiment import Experiment
from agentic.experiments.worlds import LIMIT, limited
from agentic.plugins import Registry
from agentic.runs.run import Progress

Observer = Callable[[Progress], None]
SECONDS = 5.0  # between plain lines
LABELS = {"learn": "experience", "evaluate": "evaluation"}


@contextmanager
def progress(experiment: Experiment, *, quiet: bool = False) -> Iterator[Observer | None]:
    """The observer to give to a run; None where nothing is to be shown."""
    totals = {"learn": experiment.learn.steps, "evaluate": experiment.evaluate.episodes}
    console = Console(stderr=True, highlight=False)
    if quiet:
        yield None
    elif console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bars(*columns, console=console) as bars:
            tasks = {phase: bars.add_task(LABELS[phase], total=total) for phase, total in totals.items() if total}
            yield _throttled(
                lambda reported: bars.update(tasks[reported.phase], completed=_done(reported)), 0.1, totals
            )
    else:
        yield _throttled(lambda reported: say(_line(reported, totals), err=True), SECONDS, totals)


def _throttled(show: Observer, seconds: float, totals: dict[str, int]) -> Observer:
    """Show at most every so many seconds, and at the end of a phase."""
    last = monotonic()

    def observe(reported: Progress) -> None:
        nonlocal last
        now = monotonic()
        if now - last >= seconds or _done(reported) == totals[reported.phase]:
            last = now
            show(reported)

    return observe


def _done(reported: Progress) -> int:
    return reported.steps if reported.phase == "learn" else reported.episodes


def _line(reported: Progress, totals: dict[str, int]) -> str:
    unit = "steps" if reported.phase == "learn" else f"episodes, {reported.steps:,} steps"
    return f"{LABELS[reported.phase]}: {_done(reported):,} of {totals[reported.phase]:,} {unit}"


def with_limit(experiment: Experiment, registry: Registry, quiet: bool) -> Experiment:
    """The experiment with its world's version and endless episodes cut (see `limited`), each said on standard error."""
    find_nearby([experiment.env.id, *(wrapper.name for wrapper in experiment.env.wrappers)])
    cut = limited(experiment, registry)
    if cut.env.id != experiment.env.id and not quiet:
        say(f"{experiment.env.id} is taken as {cut.env.id}, its newest version", err=True)
    if cut.env.kwargs != experiment.env.kwargs and not quiet:
        say(f"{cut.env.id} has no step limit: its episodes are cut at {LIMIT:,} steps", err=True)
    return cut
