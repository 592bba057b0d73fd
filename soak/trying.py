"""One world tried as a newcomer does, by the command line, with the time and the memory that each run took."""

import os
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import sqrt
from pathlib import Path
from resource import RLIMIT_CPU, prlimit
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryDirectory
from threading import Timer
from typing import final

import numpy as np

from agentic import Interval, Record

HERE = Path(__file__).parent
SECONDS, GIGABYTES = 180, 3.0  # of a processor and of memory, that one run may take
PATIENCE = 1800.0  # seconds by the clock: the machine may be busy
SEEDS, RANDOM = (0, 1, 2), 200  # episodes of random actions; of the others as many as they are by default


@final
@dataclass(frozen=True)
class World:
    """A world of the list: its id, whether it must beat random actions, the module it needs, and why not more."""

    id: str
    beats: bool
    needs: str = ""
    why: str = ""

    @property
    def there(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or find_spec(self.needs) is not None


@final
@dataclass(frozen=True)
class Run:
    """One run of the command: exit code, last line, returns by episode, seconds of a processor, peak gigabytes."""

    code: int
    said: str
    returns: tuple[float, ...]
    seconds: float
    gigabytes: float

    @property
    def fault(self) -> str:
        """What is wrong with it; empty where nothing is."""
        if self.seconds >= SECONDS:
            return f"took {self.seconds:.0f} s and more"
        if self.code:
            return f"exit code {self.code}: {self.said}"
        return f"took {self.gigabytes:.1f} GB" if self.gigabytes > GIGABYTES else ""


@final
@dataclass(frozen=True)
class Tried:
    """What came of a world: the runs without a flag, and that of random actions where these must be beaten."""

    world: World
    runs: tuple[Run, ...]
    random: Run | None = None

    @property
    def interval(self) -> tuple[float, float, float]:
        """The mean of all returns with Student's 95 % interval over all episodes."""
        found = np.array([value for run in self.runs for value in run.returns])
        if len(found) < 2:
            return (float(found.mean()) if len(found) else float("nan"), -np.inf, np.inf)
        error = float(found.std(ddof=1)) / sqrt(len(found))
        bounds = Interval.student(float(found.mean()), error, len(found) - 1, level=0.95)
        return float(found.mean()), bounds.low, bounds.high

    @property
    def fault(self) -> str:
        """Why it is not as the list says; empty where it is."""
        faults = [run.fault for run in (*self.runs, *([self.random] if self.random else [])) if run.fault]
        if faults or self.random is None:
            return next(iter(faults), "")
        chance = float(np.mean(self.random.returns))
        return (
            "" if self.interval[1] > chance else f"does not beat random actions: {self.interval[1]:.4g}, {chance:.4g}"
        )

    @property
    def row(self) -> str:
        """A line of the table in docs/soak.md."""
        mean, low, high = self.interval
        seeds = ", ".join(f"{np.mean(run.returns):.4g}" for run in self.runs if run.returns)
        chance = f"{np.mean(self.random.returns):.4g}" if self.random and self.random.returns else ""
        seconds, size = max(run.seconds for run in self.runs), max(run.gigabytes for run in self.runs)
        outcome = self.fault or ("beats random" if self.world.beats else "finishes")
        within = f"{mean:.4g} [{low:.4g}, {high:.4g}]" if np.isfinite(low) else ""
        return f"| {self.world.id} | {outcome} | {within} | {seeds} | {chance} | {seconds:.0f} | {size:.2f} |"


def listed() -> list[World]:
    """The worlds of the list, those to be beaten first."""
    tables = tomllib.loads((HERE / "worlds.toml").read_text(encoding="utf-8"))
    return [
        World(each["id"], kind == "beats", each.get("needs", ""), each.get("why", ""))
        for kind in ("beats", "finishes")
        for each in tables[kind]
    ]


def tried(world: World, seeds: Sequence[int] = SEEDS) -> Tried:
    """The world run with no flag but the seed, on every seed where random actions must be beaten."""
    if not world.beats:
        return Tried(world, (_run(world, seed=seeds[0]),))
    runs = tuple(_run(world, seed=seed) for seed in seeds)
    return Tried(world, runs, _run(world, f"--episodes={RANDOM}", "--agent=random", seed=0))


def _run(world: World, *flags: str, seed: int) -> Run:
    """One run by a process of its own, in the folder of `odd_worlds.py`, stopped where it takes too long."""
    with TemporaryDirectory() as place:
        command = [sys.executable, "-c", "from agentic.__main__ import main; raise SystemExit(main())", "run"]
        command += ["--env", world.id, "--quiet", "--out", place, f"--seed={seed}", *flags]
        # As the console script has it: neither the working folder nor this one is searched for modules.
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        with Popen(command, cwd=HERE, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment) as process:
            prlimit(process.pid, RLIMIT_CPU, (SECONDS, SECONDS))
            stop = Timer(PATIENCE, process.kill)
            stop.start()
            assert process.stdout is not None
            assert process.stderr is not None
            said, out = process.stderr.read().decode(), process.stdout.read().decode().strip()
            _, status, used = os.wait4(process.pid, 0)
            stop.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
        found = Record.open(out).returns("evaluate") if process.returncode == 0 else np.empty(0)
    last = said.strip().splitlines()[-1:] or [""]
    return Run(
        process.returncode, last[0], tuple(map(float, found)), used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20
    )
