"""What the progress of a run costs: its share of the time of runs that are kept, and microseconds for a tick."""

from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from tempfile import TemporaryDirectory
from time import process_time, thread_time
from typing import Any, final

from rich.table import Table

import agentic
from agentic.experiments import example, read
from agentic.runs.journal import Journal

RUNS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "energy agent, T-maze, a tree": (read(example("tmaze")), ["evaluate.episodes=100"]),
    "energy agent, CartPole, learning": (
        read(example("cartpole")),
        ["learn.steps=200", "evaluate.episodes=1", "env.kwargs={max_episode_steps=100}"],
    ),
    "habit, FrozenLake, learning": (
        {"env": {"id": "FrozenLake-v1"}, "agent": {"name": "habit"}},
        ["learn.steps=3000", "evaluate.episodes=100"],
    ),
    "random, CartPole": ({"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}}, ["evaluate.episodes=300"]),
    "random, CartPole, 16 copies": (
        {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}},
        ["run.envs=16", "evaluate.episodes=1000"],
    ),
}


@final
@dataclass(frozen=True)
class Share:
    """The seconds of processor time of one run, those of its journal, and how many ticks and lines there were."""

    run: str
    seconds: float
    journal: float
    ticks: int
    lines: int

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def measure(quick: bool, repeats: int) -> list[Share]:
    """The run of median share of each; the clock around every call counts for the journal."""
    return [
        sorted((_share(name, *RUNS[name]) for _ in range(1 if quick else repeats)), key=lambda each: each.journal)[
            (0 if quick else repeats) // 2
        ]
        for name in RUNS
    ]


def _share(name: str, tables: dict[str, Any], settings: list[str]) -> Share:
    spent, ticks = 0.0, 0
    own = {each: getattr(Journal, each) for each in ("hear", "begin", "finish")}

    def timed(method: Any) -> Any:
        def call(*given: Any) -> None:
            nonlocal spent, ticks
            began = thread_time()
            method(*given)
            spent, ticks = spent + thread_time() - began, ticks + (method is own["hear"])

        return call

    built = agentic.build(agentic.Experiment.of(tables, settings), agentic.load())
    try:
        for each, method in own.items():
            setattr(Journal, each, timed(method))
        with TemporaryDirectory() as folder, redirect_stderr(StringIO()):
            began = process_time()
            built.run(folder)
            taken = process_time() - began
            lines = len(agentic.runs.RunFolder(folder).progress)
    finally:
        for each, method in own.items():
            setattr(Journal, each, method)
    return Share(name, taken, spent, ticks, lines)


def table(found: Sequence[Share]) -> Table:
    """A row for each run."""
    columns = ("run", "ticks", "lines", "µs a tick", "of these progress", "share")
    made = Table(*columns, title="Progress: what its lines cost", title_justify="left")
    for each in found:
        made.add_row(
            each.run,
            f"{each.ticks:,}",
            f"{each.lines:,}",
            f"{1e6 * each.seconds / each.ticks:.0f}",
            f"{1e6 * each.journal / each.ticks:.2g}",
            f"{each.journal / each.seconds:.2%}",
        )
    return made
