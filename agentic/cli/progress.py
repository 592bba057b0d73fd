"""The progress of a run, on standard error: bars on a terminal, now and then a plain line elsewhere.

Both say the mean return of the last episodes (of all that are evaluated), and what learning reported last.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import numpy as np
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bars, TextColumn, TimeRemainingColumn
from rich.text import Text

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
DRAWN, HEIGHTS = 16, "▁▂▃▄▅▆▇█"  # episodes whose returns are drawn on a terminal, by height


class _News:
    """What a phase has shown so far: returns of episodes heard from their first tick, and what learning reported."""

    def __init__(self) -> None:
        self.phase = ""
        self.returns = deque[float]()
        self.learned: dict[str, float] = {}
        self._running, self._whole = np.zeros(0), np.zeros(0, bool)

    def hear(self, reported: Progress) -> None:
        """Take a tick."""
        tick = reported.tick
        if reported.phase != self.phase:
            self.phase, self.learned, self._running = reported.phase, {}, np.zeros(len(tick.valid))
            self._whole = tick.t == 0  # a run that goes on is in the middle of its episodes
            self.returns = deque(maxlen=None if reported.phase == "evaluate" else DRAWN)
        self.learned.update(reported.learned)
        with np.errstate(all="ignore"):
            self._running += np.where(tick.valid, tick.reward, 0.0)
        over = (tick.terminated | tick.truncated) & tick.valid
        self.returns.extend(self._running[over & self._whole].tolist())
        self._running[over] = 0.0
        self._whole = self._whole | over

    def words(self) -> str:
        """In words, with a comma before; empty while there is nothing to tell."""
        lately = [*self.returns] if self.phase == "evaluate" else [*self.returns][-LATELY:]
        with np.errstate(all="ignore"):  # of infinite rewards, and of sums beyond floats
            said = [f"return {np.mean(lately):.4g}"] if lately else []
        return "".join(f", {part}" for part in [*said, *(f"{name} {x:.2g}" for name, x in self.learned.items())])

    def drawn(self) -> str:
        """The last returns, each as high as it is between the least and the largest."""
        last = np.array(self.returns)[-DRAWN:] / DRAWN  # so that differences of the largest floats are floats
        last = last[np.isfinite(last)]
        if len(last) < 2:
            return ""
        low, high = last.min(), last.max()
        places = (last - low) / (high - low or 1.0) * (len(HEIGHTS) - 1)
        return "".join(HEIGHTS[round(place)] for place in places)


class _Bars(Bars):
    """Bars, and a line of text `below` them."""

    below = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        yield Text(self.below, no_wrap=True, overflow="ellipsis")


@contextmanager
def progress(experiment: Experiment, *, quiet: bool = False) -> Iterator[Observer | None]:
    """The observer to give to a run; None where nothing is to be shown."""
    totals = {"learn": experiment.learn.steps, "evaluate": experiment.evaluate.episodes}
    console, news = Console(stderr=True, highlight=False), _News()
    if quiet:
        yield None
    elif console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with _Bars(*columns, console=console) as bars:
            tasks = {phase: bars.add_task(LABELS[phase], total=total) for phase, total in totals.items() if total}

            def show(reported: Progress) -> None:
                bars.below = f"{news.drawn()} {news.words().removeprefix(', ')}".strip()
                bars.update(tasks[reported.phase], completed=_done(reported))

            yield _throttled(show, 0.1, totals, news)
    else:
        yield _throttled(lambda reported: say(_line(reported, totals) + news.words(), err=True), SECONDS, totals, news)


def _throttled(show: Observer, seconds: float, totals: dict[str, int], news: _News) -> Observer:
    """Show at most every so many seconds, and at the end of a phase; the news are of all ticks."""
    last = monotonic()

    def observe(reported: Progress) -> None:
        nonlocal last
        news.hear(reported)
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
    find_nearby(experiment.env.names)
    cut = limited(experiment, registry)
    if cut.env.id != experiment.env.id and not quiet:
        say(f"{experiment.env.id} is taken as {cut.env.id}, its newest version", err=True)
    if cut.env.kwargs != experiment.env.kwargs and not quiet:
        say(f"{cut.env.id} has no step limit: its episodes are cut at {LIMIT:,} steps", err=True)
    return cut
