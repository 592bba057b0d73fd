"""Fit and recover: agents whose parameters are known decide 300 times each, and are fitted to what they did.

Truths are draws from the priors, so that intervals of 95 % must hold 95 % of them. The task is one that people could be
given: in each of eight situations, a choice among three gambles over nothing, a win and a loss.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from time import perf_counter
from typing import Any, final

import numpy as np
import torch
from rich.table import Table

from agentic import EnergyAgent, Environment, Purpose, Schedule, Softmax, make, run
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_envs.pomdp import Pomdp
from agentic_fit import BehaviorFit, Positive, Unbounded, fit_behaviour
from agentic_fit.parameters import Prior
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact

SITUATIONS, ARMS, OUTCOMES = 8, 3, 3
DECISIONS = 300
PARAMETERS = {
    "selection.precision": Positive(0.5, 5.0),
    "purpose.goal.values[1][1]": Unbounded(-2.0, 4.0),  # of a win
    "purpose.goal.values[1][2]": Unbounded(-4.0, 2.0),  # of a loss
}


@final
@dataclass(frozen=True)
class Recovery:
    """How well one parameter was recovered: how many intervals hold the truth, how wide they are beside the prior's."""

    name: str
    subjects: int
    inside: int
    width: float
    correlation: float
    seconds: float

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def gambler(precision: float, win: float, loss: float) -> tuple[Environment, EnergyAgent]:
    """The task, and an agent with these parameters, who also likes to learn how a gamble ends."""
    chances = np.random.default_rng(7).dirichlet([0.7] * OUTCOMES, size=(SITUATIONS, ARMS))
    states = SITUATIONS * OUTCOMES
    moves = np.zeros((SITUATIONS, OUTCOMES, SITUATIONS, OUTCOMES, ARMS))
    moves += (chances / SITUATIONS).transpose(2, 0, 1)[None, :, :, None, :]
    situation, outcome = np.repeat(np.eye(SITUATIONS), OUTCOMES, 1), np.tile(np.eye(OUTCOMES), SITUATIONS)
    start = np.repeat(np.eye(OUTCOMES)[:1], SITUATIONS, 0).reshape(-1) / SITUATIONS
    env = make(Pomdp(A=[situation, outcome], B=[moves.reshape(states, states, ARMS)], D=[start], steps=DECISIONS))
    purpose = Purpose(LogPreferences([[0.0] * SITUATIONS, [0.0, win, loss]]), gain=SummedGain())
    model = CategoricalModel.from_env(env)
    return env, EnergyAgent(model, purpose, Exact(), Enumerate(), selection=Softmax(precision))


def recover(seed: int, subject: int) -> tuple[list[float], BehaviorFit]:
    """The parameters of one subject, drawn from the priors, and the fit to what they did."""
    torch.set_num_threads(1)
    draws = torch.Generator().manual_seed(1_000 * seed + subject)
    truth: list[float] = Prior.of(tuple(PARAMETERS.values())).sample(1, draws)[0].tolist()
    env, agent = gambler(*truth)
    record = run(agent, env, Schedule(episodes=1), seed=1_000 * seed + subject, dtype=torch.float64)
    return truth, fit_behaviour(gambler(1.0, 1.0, -1.0)[1], record, PARAMETERS)


def recovered(seed: int, subjects: int, workers: int = 2) -> list[Recovery]:
    """The parameters of many subjects recovered, on `workers` cores."""
    begin = perf_counter()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        pairs = list(pool.map(partial(recover, seed), range(subjects)))
    return summary(pairs, perf_counter() - begin)


def summary(pairs: Sequence[tuple[list[float], BehaviorFit]], seconds: float) -> list[Recovery]:
    """What the truths and the fits say of each parameter."""
    found = []
    for i, (name, parameter) in enumerate(PARAMETERS.items()):
        truth = np.array([each[i] for each, _ in pairs])
        estimate = np.array([fit.estimates[name] for _, fit in pairs])
        low, high = np.array([fit.intervals[name] for _, fit in pairs]).T
        width = float(np.median(high - low)) / (parameter.high - parameter.low)
        inside = int(((low <= truth) & (truth <= high)).sum())
        found.append(Recovery(name, len(pairs), inside, width, float(np.corrcoef(truth, estimate)[0, 1]), seconds))
    return found


def measure(quick: bool, repeats: int) -> list[Recovery]:
    """50 subjects, or 8; once, for it is statistics that count here."""
    return recovered(seed=0, subjects=8 if quick else 50)


def table(found: Sequence[Recovery]) -> Table:
    """Coverage, width and correlation of each parameter."""
    one = found[0]
    title = f"Recovery: {one.subjects} agents, {DECISIONS} decisions each, fitted in {one.seconds:.0f} s"
    shown = Table(title=title, caption="Width: median of the 95 % intervals over that of the prior.")
    for name in ("parameter", "intervals that hold the truth", "width", "correlation"):
        shown.add_column(name, justify="left" if name == "parameter" else "right")
    for each in found:
        shown.add_row(each.name, f"{each.inside} of {each.subjects}", f"{each.width:.2f}", f"{each.correlation:.2f}")
    return shown
