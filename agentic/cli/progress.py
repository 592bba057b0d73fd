"""The progress of a run, on standard error: bars on a terminal, now and then a plain line elsewhere.

Both say the mean return of the last episodes (of all that are evaluated), and what learning reported last. On a
terminal the courses of return, energy and model error are drawn below the bars.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isnan
from time import monotonic

import numpy as np
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bars, TextColumn, TimeRemainingColumn
from rich.text import Text

from agentic.cli.live import Live, error_of
from agentic.cli.nearby import find_nearby
from agentic.cli.terminal import say
from agentic.experiments.experiment import Experiment
from agentic.experiments.worlds import LIMIT, limited
from agentic.plugins import Registry
from agentic.runs.run import Progress

Observer = Callable[[Progress], None]
SECONDS = 5.0  # between plain lines
LABELS = {"learn": "experience", "evaluate": "evaluation"}
LATELY = 5  # episodes of which the mean return is told while learning


class _News:
    """What a phase has shown so far: returns of episodes heard from their first tick, and what learning reported."""

    def __init__(self) -> None:
        self.phase = ""
        self.returns = deque[float]()
        self.ended: list[float] = []  # with the last tick
        self.learned: dict[str, float] = {}
        self._running, self._whole = np.zeros(0), np.zeros(0, bool)

    def hear(self, reported: Progress) -> None:
        """Take a tick."""
        tick = reported.tick
        if reported.phase != self.phase:
            self.phase, self.learned, self._running = reported.phase, {}, np.zeros(len(tick.valid))
            self._whole = tick.t == 0  # a run that goes on is in the middle of its episodes
            self.returns = deque(maxlen=None if reported.phase == "evaluate" else LATELY)
        self.learned.update(reported.learned)
        with np.errstate(all="ignore"):
            self._running += np.where(tick.valid, tick.reward, 0.0)
        over = (tick.terminated | tick.truncated) & tick.valid
        self.ended = self._running[over & self._whole].tolist()
        self.returns.extend(self.ended)
        self._running[over] = 0.0
        self._whole = self._whole | over

    def latest(self) -> str:
        """The mean return of the last episodes while learning, of all in evaluation."""
        with np.errstate(all="ignore"):  # of infinite rewards, and of sums beyond floats
            return _shown(float(np.mean(self.returns)), 4)

    def rest(self, error: str) -> str:
        """What learning reported last but for the `error`, in words."""
        others = {name.replace("_", " "): x for name, x in self.learned.items() if name != error}
        return ", ".join(f"{name} {_shown(x, 2)}" for name, x in others.items())

    def words(self) -> str:
        """In words, with a comma before; empty while there is nothing to tell."""
        said = [f"return {self.latest()}"] if self.returns else []
        return "".join(f", {part}" for part in [*said, *(f"{name} {_shown(x, 2)}" for name, x in self.learned.items())])


class _Bars(Bars):
    """Bars, and lines of text `below` them."""

    below: tuple[str, ...] = ()

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        for line in self.below:
            yield Text(line, no_wrap=True, overflow="ellipsis")


@contextmanager
def progress(experiment: Experiment, *, quiet: bool = False) -> Iterator[Observer | None]:
    """The observer to give to a run; None where nothing is to be shown."""
    totals = {"learn": experiment.learn.steps, "evaluate": experiment.evaluate.episodes}
    console, news = Console(stderr=True, highlight=False), _News()
    if quiet:
        yield None
    elif console.is_terminal and not console.is_dumb_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with _Bars(*columns, console=console) as bars:
            tasks = {phase: bars.add_task(LABELS[phase], total=total) for phase, total in totals.items() if total}

            live = Live(console.encoding)

            def hear(reported: Progress) -> None:
                news.hear(reported)
                live.hear(reported, news.ended)

            def show(reported: Progress) -> None:
                rest = news.rest(error_of(news.learned))
                bars.below = (*live.lines(news.latest() if news.returns else ""), *([rest] if rest else []))
                bars.update(tasks[reported.phase], completed=_done(reported))

            yield _throttled(show, 0.1, totals, hear)
    else:
        yield _throttled(
            lambda reported: say(_line(reported, totals) + news.words(), err=True), SECONDS, totals, news.hear
        )


def _throttled(show: Observer, seconds: float, totals: dict[str, int], hear: Observer) -> Observer:
    """Show at most every so many seconds, and at the end of a phase; all ticks are heard."""
    last = monotonic()

    def observe(reported: Progress) -> None:
        nonlocal last
        hear(reported)
        now = monotonic()
        if now - last >= seconds or _done(reported) == totals[reported.phase]:
            last = now
            show(reported)

    return observe


def _shown(value: float, digits: int) -> str:
    """A number with so many digits; a dash for what is none."""
    return "-" if isnan(value) else f"{value:.{digits}g}"


def _done(reported: Progress) -> int:
    return reported.steps if reported.phase == "learn" else reported.episodes


def _line(reported: Progress, totals: dict[str, int]) -> str:
    unit = "steps" if reported.phase == "learn" else f"episodes, {reported.steps:,} steps"
    return f"{LABELS[reported.phase]}: {_done(reported):,} of {totals[reported.phase]:,} {unit}"


def with_limit(experiment: Experiment, registry: Registry, quiet: bool) -> Experiment:
    """The experiment with its world's version and endless episodes cut (see `limited`), each said on standard error."""
    find_nearby(experiment.env.names)
    cut = limited(experiment, registry)
    if cut.env.id != experiment.env.id and not quiet:
        say(f"{experiment.env.id} is taken as {cut.env.id}, its newest version", err=True)
    if cut.env.kwargs != experiment.env.kwargs and not quiet:
        say(f"{cut.env.id} declares no step limit: its episodes are cut at {LIMIT:,} steps", err=True)
    return cut
