"""A closed loop of agents in T-mazes: our loop, which returns to Python at every tick, beside pymdp's compiled scan.

The cue is always right, so that from the third step on every agent is where the reward is: that is looked at first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple, final

import numpy as np
import torch
from rich.table import Table

from agentic import EnergyAgent, Purpose, make, ticks
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_envs.pomdp import Pomdp
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from benchmarks.discrete_worlds import Arrays, tmaze
from benchmarks.report import spread
from benchmarks.sample import Sample, side_by_side

HORIZON = 2
STEPS = {1: 1000, 32: 200, 1024: 50}  # of each repeat, by how many agents there are
REWARD = 6  # its place among the outcomes of both modalities


class Looped(NamedTuple):
    """So many steps of a loop: the seconds they took, and the share of rewards from the third step on."""

    seconds: float
    rewarded: float


@final
@dataclass(frozen=True)
class Loop:
    """Microseconds per step of all agents together."""

    batch: int
    taken: dict[str, Sample]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"batch": self.batch, "microseconds": {name: taken.plain() for name, taken in self.taken.items()}}


def measure(quick: bool, repeats: int) -> list[Loop]:
    """One agent, 32 and 1,024."""
    return [_measure(batch, steps // (4 if quick else 1), repeats) for batch, steps in STEPS.items()]


def _measure(batch: int, steps: int, repeats: int) -> Loop:
    arrays = tmaze(validity=1.0)
    loops: dict[str, Callable[[], Looped]] = {"ours": partial(_ours, arrays, batch, steps)}
    try:
        from benchmarks.discrete_peers import pymdp_loop
    except ImportError:
        pass
    else:
        scan = pymdp_loop(arrays, HORIZON, batch, steps)
        loops["pymdp"] = lambda: Looped(*scan())
    for name, loop in loops.items():
        if (rewarded := loop().rewarded) < 1:
            raise AssertionError(f"{name}: {rewarded:.0%} of steps are rewarded, all should be")
    tasks = {name: partial(_micros, loop, steps) for name, loop in loops.items()}
    return Loop(batch, side_by_side(tasks, repeats))


def _micros(loop: Callable[[], Looped], steps: int) -> float:
    return 1e6 * loop().seconds / steps


def _ours(arrays: Arrays, batch: int, steps: int) -> Looped:
    """`ticks`, nothing recorded."""
    model = CategoricalModel(arrays.A, arrays.B, arrays.D, dependencies=arrays.dependencies)
    purpose = Purpose(LogPreferences(arrays.C), HORIZON, SummedGain())
    agent = EnergyAgent(model, purpose, Exact(), Enumerate())
    lists, long = arrays.dependencies, steps + 10
    worlds = [Pomdp(arrays.A, arrays.B, arrays.D, dependencies=lists, steps=long) for _ in range(batch)]
    env = make(worlds if batch > 1 else worlds[0])
    loop = ticks(agent, env, dtype=torch.float64, accounts=False)
    next(loop), next(loop)
    begin, seen = perf_counter(), [next(loop).next_obs for _ in range(steps)]
    taken = perf_counter() - begin
    loop.close()
    return Looped(taken, float(np.mean([np.asarray(obs)[:, REWARD].mean() for obs in seen])))


def table(measured: list[Loop]) -> Table:
    """Both loops."""
    made = Table(
        title="Discrete agents: a closed loop in the T-maze, horizon 2",
        caption="us per step of all agents together: median (min-max). pymdp's steps never return to Python.",
        title_justify="left",
        caption_justify="left",
    )
    for name in ("agents", "ours", "pymdp", "pymdp / ours"):
        made.add_column(name, justify="right")
    for each in measured:
        theirs, ours = each.taken.get("pymdp"), each.taken["ours"]
        cells = ["-", "-"] if theirs is None else [spread(theirs), spread(theirs.over(ours))]
        made.add_row(f"{each.batch:,}", spread(ours), *cells)
    return made
