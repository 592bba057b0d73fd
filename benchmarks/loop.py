"""Our loop beside Gymnasium's: the random agent, recorded, and where the time goes.

The split is a ladder: each rung does what the one below does and one thing more, over the same steps and resets.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

import gymnasium
import numpy as np
import torch
from torch import Tensor

from agentic import Agent, Decision, Environment, Recording, Schedule, make, run, ticks
from agentic.runs.folder import RunFolder
from agentic.runs.recorder import Recorder
from agentic.runs.seeds import environment_seed
from agentic_agents.random import RandomAgent
from benchmarks import bare
from benchmarks.sample import Sample, seconds, side_by_side

ID = "CartPole-v1"
VECTOR = "vector_entry_point"
# The rungs of the ladder, as reports name what each adds to the one before.
RUNGS = {
    "gymnasium": "env.step and env.reset",
    "boundary": "into checked arrays, counters",
    "coding": "encode and decode",
    "ticks": "ticks: decisions, views, schedule",
    "decide": "decide (random agent)",
    "memory": "record, in memory",
    "folder": "writer of Parquet files",
}


@final
@dataclass(frozen=True)
class World:
    """One way to run CartPole: `rows` environments for `ticks` ticks, as Gymnasium and as agentic make them."""

    name: str
    rows: int
    ticks: int
    theirs: Callable[[], Any]
    ours: Callable[[], Environment]


@final
@dataclass(frozen=True)
class Loops:
    """What was measured in one world: microseconds for one step of all rows, by name of the loop.

    `resets` are those per 1,000 environment steps, ours and the bare loop's. `once` is what `run` adds to its loop
    for manifest and folder, in milliseconds per run.
    """

    world: str
    rows: int
    micros: dict[str, Sample]
    resets: tuple[float, float]
    once: Sample

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        ours, micros = self.micros["folder"], {name: sample.plain() for name, sample in self.micros.items()}
        ratios = {
            name: {**ours.over(self.micros[name]).plain(), "of_bests": ours.low / self.micros[name].low}
            for name in ("drawing", "precomputed")
        }
        resets = dict(zip(("ours", "bare"), self.resets, strict=True))
        return {
            "world": self.world,
            "rows": self.rows,
            "ratio": ratios,
            "microseconds": micros,
            "split_of_bests": self.split(),
            "resets_per_1000_steps": resets,
            "once_per_run_milliseconds": self.once.plain(),
        }

    def split(self) -> dict[str, float]:
        """What each rung adds, microseconds, from the best repeat of each: what is left when others are quiet."""
        names = list(RUNGS)
        added = {name: self.micros[name].low - self.micros[below].low for below, name in pairwise(names)}
        return {names[0]: self.micros[names[0]].low, **added}


def worlds(quick: bool) -> list[World]:
    """CartPole in one, in eight and in 1,024 copies."""
    share = 5 if quick else 1
    vectors = partial(gymnasium.make_vec, ID, vectorization_mode=VECTOR, num_envs=1024)
    eight = partial(gymnasium.make_vec, ID, vectorization_mode="sync", num_envs=8)
    return [
        World("CartPole-v1, one", 1, 8_192 // share, partial(gymnasium.make, ID), partial(make, ID)),
        World("CartPole-v1, SyncVectorEnv 8", 8, 2_048 // share, eight, partial(make, ID, envs=8)),
        World("CartPole-v1, own vector 1,024", 1024, 1_400 // share, vectors, lambda: make(vectors())),
    ]


def measure(quick: bool, repeats: int) -> list[Loops]:
    """Every world's loops."""
    return [_measure(world, repeats) for world in worlds(quick)]


@final
@dataclass
class Script(Agent):
    """Takes the given actions (b, *event) one after the other: an agent that costs nothing."""

    actions: Iterator[Tensor]

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(next(self.actions), state)


@final
@dataclass
class Bench:
    """One world with what all of its loops share: environments, seeds, and the actions that the random agent took.

    Every loop of ours sees the same steps and resets; so does the bare one, but for SyncVectorEnv, which takes
    another tick to reset a row (and therefore other actions than ours).
    """

    world: World
    theirs: Any = field(init=False)
    ours: Environment = field(init=False)
    actions: list[Tensor] = field(init=False)
    native: list[tuple[np.ndarray, ...]] = field(init=False)
    steps: int = field(init=False)
    resets: int = field(init=False)

    def __post_init__(self) -> None:
        self.theirs, self.ours = self.world.theirs(), self.world.ours()
        happened = list(self.happening(RandomAgent.from_env(self.ours)))
        self.actions = [tick.decision.action for tick in happened]
        self.native = [self.ours.decode(action) for action in self.actions]
        self.steps = sum(int(np.count_nonzero(tick.valid)) for tick in happened)
        self.resets = sum(int(np.count_nonzero(tick.terminated | tick.truncated)) for tick in happened)

    @property
    def seeds(self) -> list[int]:
        """As `ticks` seeds the rows."""
        return [environment_seed(0, row) for row in range(self.world.rows)]

    def happening(self, agent: Agent) -> Iterator[Any]:
        return islice(ticks(agent, self.ours), self.world.ticks)

    def boundary(self) -> None:
        """Our side of the environment, actions in native form."""
        world = self.ours
        world.reset(self.seeds)
        for action in self.native:
            begins = world.step(action).begins
            if begins is not None:
                world.restart(begins)

    def coding(self) -> None:
        """The same, with tensors in and out."""
        world = self.ours
        world.encode(world.reset(self.seeds))
        for action in self.actions:
            step = world.step(world.decode(action))
            world.encode(step.next_obs)
            if step.begins is not None:
                world.encode(world.restart(step.begins))

    def ticks(self) -> None:
        """The loop itself, with nothing to decide and nobody who looks."""
        deque(self.happening(Script(iter(self.actions))), maxlen=0)

    def decide(self) -> None:
        """The loop with the random agent."""
        deque(self.happening(RandomAgent.from_env(self.ours)), maxlen=0)

    def record(self, folder: Path | None) -> None:
        """What `run` does with an agent that does not learn: every tick recorded, and the last chunk waited for."""
        recorder = Recorder(self.ours, folder and RunFolder(folder))
        for tick in self.happening(RandomAgent.from_env(self.ours)):
            recorder.add("evaluate", tick)
        recorder.close()


def _measure(world: World, repeats: int) -> Loops:
    bench = Bench(world)
    unit = 1e6 * world.rows / bench.steps

    def ours(work: Callable[[], object]) -> Callable[[], float]:
        return lambda: unit * seconds(work)

    bare_tasks, resets = _bare(bench)
    tasks = {
        **bare_tasks,
        "boundary": ours(bench.boundary),
        "coding": ours(bench.coding),
        "ticks": ours(bench.ticks),
        "decide": ours(bench.decide),
        "memory": ours(partial(bench.record, None)),
        "folder": lambda: unit * _in_folder(bench.record),
    }
    micros = side_by_side(tasks, repeats)
    micros.setdefault("gymnasium", micros["precomputed"])
    once = side_by_side({"run": lambda: 1e3 * _in_folder(partial(_empty_run, bench.ours))}, repeats)["run"]
    bench.ours.close()
    bench.theirs.close()
    return Loops(world.name, world.rows, micros, (1e3 * bench.resets / bench.steps, resets), once)


def _bare(bench: Bench) -> tuple[dict[str, Callable[[], float]], float]:
    """The bare loops, microseconds per step of all rows, and their resets per 1,000 steps."""
    arrays = [native[0] for native in bench.native]
    rows, seeds, env = bench.world.rows, bench.seeds, bench.theirs
    if rows == 1:
        unit, numbers = 1e6 / bench.steps, [int(array[0]) for array in arrays]
        return {
            "drawing": lambda: unit * seconds(bare.single_drawing, env, numbers, seeds[0]),
            "precomputed": lambda: unit * seconds(bare.single, env, numbers, seeds[0]),
        }, 1e3 * bench.resets / bench.steps
    given: Any = seeds if hasattr(env, "envs") else seeds[0]
    steps, resets = bare.real_steps(env, arrays, given)
    unit = 1e6 * rows / steps
    tasks = {
        "drawing": lambda: unit * seconds(bare.vector_drawing, env, arrays, given),
        "precomputed": lambda: unit * seconds(bare.vector, env, arrays, given),
    }
    if hasattr(env, "envs"):  # ours steps single environments, so they are where its ladder stands
        singles = [gymnasium.make(ID) for _ in range(rows)]
        table = [array.tolist() for array in arrays]
        own = 1e6 * rows / bench.steps
        return {**tasks, "gymnasium": lambda: own * seconds(bare.several, singles, table, seeds)}, 1e3 * resets / steps
    return tasks, 1e3 * resets / steps


def _in_folder(work: Callable[[Path], object]) -> float:
    with TemporaryDirectory() as folder:
        return seconds(work, Path(folder))


def _empty_run(env: Environment, folder: Path) -> None:
    run(RandomAgent.from_env(env), env, Schedule(episodes=0), Recording(folder))
