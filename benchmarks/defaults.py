"""What `agentic run --env ID` does in every discrete world, and how long: whole processes, one after the other.

Where an example was made for a world, that is what runs; what plugins would propose there is run too.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple, final

from rich.table import Table

from agentic import Experiment, load, propose
from agentic_envs.cuechain import corridor

LIMIT = 120.0  # seconds that a default may take on two cores


class Case(NamedTuple):
    """A world by its id, with arguments of its own, and how it is called here."""

    id: str
    kwargs: Mapping[str, Any] = {}
    name: str = ""


CASES = (
    *map(Case, ("FrozenLake", "FrozenLake8x8", "CliffWalking", "CliffWalkingSlippery", "Taxi", "Blackjack")),
    *map(Case, ("gridworld", "cliffworld", "tmaze", "adjacent_tmaze", "cuechain", "tiger", "bandit", "foggrid")),
    Case("gridworld", {"fog": True}, "gridworld in the fog"),
    *(Case("cuechain", corridor(depth), f"corridor of {depth} cues") for depth in (4, 6, 8)),
)


@final
@dataclass(frozen=True)
class Default:
    """One run: seconds of its process, by the clock and of processor time, returns and why this was run.

    The 95 % interval of the mean is over episodes.
    """

    world: str
    by: str
    seconds: float
    processor: float
    mean: float
    low: float
    high: float
    episodes: int
    reason: str = field(repr=False)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure(quick: bool, repeats: int, *, names: Sequence[str] = ()) -> list[Default]:
    """Every case once, or those of these names; the quickest two if quick."""
    cases = [case for case in CASES if not names or (case.name or case.id) in names]
    return [found for case in (cases[8:10] if quick else cases) for found in _measured(case)]


def _measured(case: Case) -> list[Default]:
    """The proposal's run, after that of the example where there is one for the world as it is."""
    proposed = propose({"id": case.id, "kwargs": dict(case.kwargs)}, load())
    assert proposed is not None
    name, found = case.name or case.id, list[Default]()
    if not case.kwargs:
        first = _run(name, ["--env", case.id])
        found.append(first)
        if first.by == "proposal":
            return found
    with TemporaryDirectory() as folder:
        file = Path(folder) / "proposal.toml"
        file.write_text(Experiment.of(proposed.tables).to_toml(), encoding="utf-8")
        return [*found, _run(name, [str(file)], proposed.reason)]


def _run(name: str, arguments: Sequence[str], reason: str = "") -> Default:
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "agentic", "run", *arguments, "--json", "--out", folder]
        begin, used = perf_counter(), _processor()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, processor = perf_counter() - begin, _processor() - used
    summary = json.loads(done.stdout)
    paid, said = summary["return"], reason or done.stderr.splitlines()[0].partition(": ")[2]
    by = "example" if said == "as in the example made for it" else "proposal"
    return Default(name, by, seconds, processor, paid["mean"], paid["low"], paid["high"], summary["episodes"], said)


def _processor() -> float:
    """Seconds of processor time of all processes that were started here and have ended."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(found: Sequence[Default]) -> Table:
    """Seconds and returns, world by world."""
    late = [each.world for each in found if each.seconds > LIMIT]
    said = f"over the limit: {', '.join(late)}" if late else "all within the limit"
    caption = f"Wall seconds of the whole process; the limit is {LIMIT:.0f} s: {said}."
    made = Table(title="Defaults", caption=caption, title_justify="left", caption_justify="left")
    for column in ("world", "by", "s", "processor s", "return", "95 %", "episodes", "why"):
        made.add_column(column, justify="left" if column in ("world", "by", "95 %", "why") else "right")
    for each in found:
        numbers = f"{each.seconds:.0f}", f"{each.processor:.0f}", f"{each.mean:.4g}"
        interval = f"{each.low:.4g} to {each.high:.4g}"
        made.add_row(each.world, each.by, *numbers, interval, f"{each.episodes:,}", each.reason)
    return made
