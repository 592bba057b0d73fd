"""One decision of a discrete agent: beliefs updated, all plans weighed, an action drawn; ours beside pymdp's.

Both get the same arrays, and random prior beliefs and observations that are new in every call. The process is pinned
to one core, so that both have one, and wall time is what is reported; a process of its own has all cores. Results are
compared before anything is timed.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from time import perf_counter
from typing import Any, NamedTuple, final

import numpy as np
import torch
from rich.table import Table
from torch import Tensor

from agentic import Categorical, EnergyAgent, Purpose, Softmax
from agentic.agents.energy_agent import EnergyState
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from benchmarks.discrete_worlds import Arrays, cue_chain, grid, tmaze
from benchmarks.report import spread
from benchmarks.sample import Sample, side_by_side

PRECISION = 4.0
LONG = 0.2  # seconds of calls that one repeat times, and at least three calls
CLOSE = 1e-3  # nats that expected energies in float32 may differ


class Case(NamedTuple):
    """A world, how far ahead is planned, and how many agents decide at once."""

    world: str
    arrays: Callable[[], Arrays]
    horizon: int
    batch: int


CASES = (
    *(Case("T-maze", tmaze, 2, batch) for batch in (1, 32, 1024)),
    *(Case("7x7 grid", partial(grid, 7), 4, batch) for batch in (1, 32)),
    Case("16x16 grid", partial(grid, 16), 2, 1),
    Case("16x16 grid", partial(grid, 16), 2, 32),
    Case("16x16 grid", partial(grid, 16), 4, 1),
    Case("cue chain", cue_chain, 4, 1),
)
QUICK = (0, 3, 5)


class Decider(NamedTuple):
    """What a package is given, made of priors (b, n) per factor and observations (b, m); and its call, G (plans, b)."""

    given: Callable[[Sequence[np.ndarray], np.ndarray], Any]
    decide: Callable[[Any], Any]
    energies: Callable[[Any], np.ndarray]


@final
@dataclass(frozen=True)
class Decided:
    """One case: microseconds per decision in each package, and how far their expected energies are apart.

    `taken` on one core, "again" where every call is given the same; `free` with all cores.
    """

    case: Case
    taken: dict[str, Sample]
    apart: float | None
    free: dict[str, Sample]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "world": self.case.world,
            "horizon": self.case.horizon,
            "batch": self.case.batch,
            "microseconds": {name: taken.plain() for name, taken in self.taken.items()},
            "microseconds_free": {name: taken.plain() for name, taken in self.free.items()},
            "pymdp_over_ours": {name: ratio.plain() for name, ratio in self.ratios().items()},
            "apart": self.apart,
        }

    def ratios(self) -> dict[str, Sample]:
        """How many times ours pymdp takes, in single and in double precision and with all cores; pymdp has float32."""
        pairs = {"single": (self.taken, "ours, float32"), "double": (self.taken, "ours"), "free": (self.free, "ours")}
        return {name: taken["pymdp"].over(taken[ours]) for name, (taken, ours) in pairs.items() if "pymdp" in taken}


def measure(quick: bool, repeats: int) -> list[Decided]:
    """Every case; three of them if quick."""
    free = _in_another_process(quick, repeats)  # before this one is loaded with two packages
    with _one_core():
        return [_measure(case, repeats, each) for case, each in zip(_cases(quick), free, strict=True)]


def measured_free(quick: bool, repeats: int) -> list[dict[str, Sample]]:
    """Every case with as many cores and threads as there are."""
    return [side_by_side(_tasks(_compared(case)[0], case), repeats) for case in _cases(quick)]


def _in_another_process(quick: bool, repeats: int) -> list[dict[str, Sample]]:
    call = f"discrete.measured_free({quick}, {repeats})"
    code = f"import pickle, sys; from benchmarks import discrete; sys.stdout.buffer.write(pickle.dumps({call}))"
    found = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE).stdout
    samples: list[dict[str, Sample]] = pickle.loads(found)
    return samples


def _cases(quick: bool) -> list[Case]:
    return [case for i, case in enumerate(CASES) if not quick or i in QUICK]


def _measure(case: Case, repeats: int, free: dict[str, Sample]) -> Decided:
    deciders, apart = _compared(case)
    return Decided(case, side_by_side(_tasks(deciders, case, again=True), repeats), apart, free)


def _compared(case: Case) -> tuple[dict[str, Decider], float | None]:
    """Who decides, and how far their expected energies are apart. Raises AssertionError where that is too far."""
    arrays = case.arrays()
    deciders = {"ours": _ours(arrays, case), "ours, float32": _ours(arrays, case, torch.float32)}
    peer = _pymdp(arrays, case)
    if peer is not None:
        deciders["pymdp"] = peer
    priors, obs = _draw(arrays, case, np.random.default_rng(0))
    energies = {name: each.energies(each.decide(each.given(priors, obs))) for name, each in deciders.items()}
    apart = None
    if "pymdp" in energies:
        apart = float(np.abs(energies["ours"] - energies["pymdp"]).max())
        if not apart <= CLOSE * max(1.0, float(np.abs(energies["ours"]).max())):
            raise AssertionError(f"{case}: expected energies are {apart} nats apart")
    return deciders, apart


def _tasks(deciders: dict[str, Decider], case: Case, again: bool = False) -> dict[str, Callable[[], float]]:
    """What is timed: every decider on new inputs, and one of ours on the same ones if `again`."""
    source, arrays = np.random.default_rng(1), case.arrays()
    tasks = {name: partial(_micros, decide, partial(_draw, arrays, case, source)) for name, decide in deciders.items()}
    if again:
        same = _draw(arrays, case, source)
        tasks["again"] = partial(_micros, deciders["ours"], lambda: same)
    return tasks


def _draw(arrays: Arrays, case: Case, source: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Random beliefs about every factor, (b, n) each, and what is seen in states drawn from them, (b, modalities)."""
    priors = [source.dirichlet(np.ones(len(start)), case.batch) for start in arrays.D]
    states = [_drawn(prior, source) for prior in priors]
    seen = [(a[:, *[states[f] for f in own]].T) for a, own in zip(arrays.A, arrays.dependencies["A"], strict=True)]
    return priors, np.stack([_drawn(each, source) for each in seen], -1)


def _drawn(chances: np.ndarray, source: np.random.Generator) -> np.ndarray:
    """One index (b,) per row of probabilities (b, n)."""
    ends = chances.cumsum(-1)
    return (source.random((len(ends), 1)) * ends[:, -1:] < ends).argmax(-1)


def _micros(decider: Decider, draw: Callable[[], tuple[list[np.ndarray], np.ndarray]]) -> float:
    """The mean microseconds of calls on inputs that are made beforehand."""
    taken, calls = 0.0, 0
    while calls < 3 or taken < LONG:
        given = decider.given(*draw())
        begin = perf_counter()
        decider.decide(given)
        taken, calls = taken + perf_counter() - begin, calls + 1
    return 1e6 * taken / calls


def _ours(arrays: Arrays, case: Case, dtype: torch.dtype = torch.float64) -> Decider:
    """An agent with the exact belief about the joint state."""
    model = CategoricalModel(arrays.A, arrays.B, arrays.D, dependencies=arrays.dependencies).to(dtype)
    goal = LogPreferences(arrays.C).to(dtype)
    purpose = Purpose(goal, case.horizon, SummedGain())
    agent = EnergyAgent(model, purpose, Exact(), Enumerate(), selection=Softmax(PRECISION))
    draws, plans = torch.Generator().manual_seed(0), list[Any]([None])

    def given(priors: Sequence[np.ndarray], obs: np.ndarray) -> tuple[Categorical, Tensor]:
        joint = torch.from_numpy(priors[0]).to(dtype)
        for prior in priors[1:]:
            joint = (joint.unsqueeze(-1) * torch.from_numpy(prior).to(dtype).unsqueeze(-2)).flatten(-2)
        return Categorical(joint), model.outcome.one_hot(torch.from_numpy(obs), dtype)

    def decide(inputs: tuple[Categorical, Tensor]) -> Tensor:
        plans[0] = agent.decide(EnergyState(inputs[0], plans[0]), inputs[1], generator=draws).plan
        values: Tensor = plans[0].values
        return values

    return Decider(given, decide, lambda values: values.numpy())


def _pymdp(arrays: Arrays, case: Case) -> Decider | None:
    """Its agent, everything in one compiled call; None where the package is not installed."""
    try:
        from benchmarks.discrete_peers import pymdp_agent
    except ImportError:
        return None
    return Decider(*pymdp_agent(arrays, case.horizon, case.batch, PRECISION))


@contextmanager
def _one_core() -> Iterator[None]:
    """The process on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def table(measured: list[Decided]) -> Table:
    """Times, and how many times ours pymdp takes."""
    absent = "" if any("pymdp" in each.taken for each in measured) else "\npymdp is not installed: skipped."
    made = Table(
        title="Discrete agents: one decision, all plans weighed",
        caption="us per call of the whole batch, wall time on one core: median (min-max); new beliefs in every call,\n"
        "but the same in `again`. Ratios: in single precision, with ours in double, and with all cores for both."
        f"{absent}",
        title_justify="left",
        caption_justify="left",
    )
    for name in ("world", "states", "horizon", "batch"):
        made.add_column(name)
    for name in ("ours", "again", "ours, float32", "pymdp", "pymdp / ours", "in double", "all cores", "apart"):
        made.add_column(name, justify="right")
    for each in measured:
        states = prod(len(start) for start in each.case.arrays().D)
        theirs, ratios = each.taken.get("pymdp"), each.ratios()
        made.add_row(
            each.case.world,
            str(states),
            str(each.case.horizon),
            str(each.case.batch),
            *[spread(each.taken[name]) for name in ("ours", "again", "ours, float32")],
            "-" if theirs is None else spread(theirs),
            *[spread(ratios[name]) if name in ratios else "-" for name in ("single", "double", "free")],
            "-" if each.apart is None else f"{each.apart:.0e}",
        )
    return made
