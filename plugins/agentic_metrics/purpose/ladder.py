"""The depth ladder: choices between a little now and more after k steps, for one k after the other.

Who looks d steps ahead waits as long as k <= d. It intervenes, so it tells a planner from a table that always waits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import ArrayLike
from scipy.stats import chi2_contingency

from agentic import Agent, Truth, UserError
from agentic_metrics.finite.arrays import Floats
from agentic_metrics.finite.query import known_world, query

NOW, LATER = 0, 1  # the actions
LEVEL = 0.05


@final
class DepthLadder(gymnasium.Env[np.int64, np.int64]):
    """An environment with one choice: 1 at once and the end, or 2 with the `rung`-th action, whatever is done then.

    States: 0 is the choice, 1 to rung - 1 are the way, the last is the end. What is seen is the state.
    """

    def __init__(self, rung: int = 1) -> None:
        if rung < 1:
            raise UserError(f"the delay of a depth ladder is at least 1 step, got {rung}")
        self.rung, self.place = rung, 0
        self.observation_space, self.action_space = Discrete(rung + 1), Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.int64, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = 0
        return np.int64(0), {}

    def step(self, action: np.int64) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        place = self.place
        self.place = self._after(place, int(action))
        return np.int64(self.place), self._paid(place, int(action)), self.place == self.rung, False, {}

    def true_model(self) -> Truth:
        """The truth A, B, D, rewards and ends, as exact agents and metrics read it."""
        states = self.rung + 1
        moves, pays = np.zeros((states, states, 2)), np.zeros((states, 2))
        for place in range(states):
            for action in (NOW, LATER):
                moves[self._after(place, action), place, action] = 1.0
                pays[place, action] = self._paid(place, action)
        start, ends = np.eye(states)[0], np.eye(states)[-1]
        return {"A": [np.eye(states)], "B": [moves], "D": [start], "rewards": pays, "ends": ends}

    def _after(self, place: int, action: int) -> int:
        return self.rung if place == 0 and action == NOW else min(place + 1, self.rung)

    def _paid(self, place: int, action: int) -> float:
        if place == 0 and action == NOW:
            return 1.0
        return 2.0 if place == self.rung - 1 else 0.0


@final
@dataclass(frozen=True)
class Climb:
    """The planning depth that a ladder shows: the last rung up to which waiting is the rule; None where it is flat.

    `p_value` is for equal choices on all rungs: a random agent, and a table that always does the same, are flat and
    have no depth. `open` says that waiting was the rule on the last rung too: the depth is at least this.
    """

    depth: int | None
    open: bool
    p_value: float


def depth_ladder(choices: ArrayLike, *, trials: int | None = None) -> Climb:
    """The depth of an agent from the probabilities (k,) with which it waits on rungs 1, 2, ..., k of the ladder.

    Depth is the largest k such that it waits with more than probability 1/2 on all rungs up to k. With `trials`, the
    probabilities are frequencies of so many choices each, and flatness is tested by chi-square; None: they are exact.
    A ladder that is too short for a planner is flat: add rungs. Raises UserError for what are no probabilities.
    """
    waits = np.asarray(choices, np.float64)
    if waits.ndim != 1 or len(waits) < 2 or not (waits >= 0).all() or not (waits <= 1).all():
        raise UserError(f"a ladder needs probabilities of waiting on at least 2 rungs, (k,), got {choices!r}")
    if trials is not None and trials < 1:
        raise UserError(f"frequencies come from at least 1 trial each, got {trials}")
    p_value = float(np.ptp(waits) < 1e-9) if trials is None else _flatness(waits, trials)
    if p_value >= LEVEL:
        return Climb(None, False, p_value)
    stops = np.flatnonzero(waits <= 0.5)
    return Climb(int(stops[0]) if len(stops) else len(waits), not len(stops), p_value)


def ladder_choices(
    agent: Callable[[Callable[[], DepthLadder]], Agent], rungs: Sequence[int], *, generator: np.random.Generator
) -> Floats:
    """The probability (rungs,) with which each agent waits at the foot of its ladder.

    `agent` makes one for an environment maker, as a planner that is given a model has to be made anew for every world.
    """
    waits = []
    for rung in rungs:
        made = partial(DepthLadder, rung)
        truth, _ = known_world(made)
        waits.append(query(agent(made), truth, generator=generator)[0, LATER])
    return np.asarray(waits, np.float64)


def _flatness(waits: Floats, trials: int) -> float:
    """The p-value of equal probabilities on all rungs."""
    waited = np.rint(waits * trials)
    table = np.stack([waited, trials - waited])
    return 1.0 if (table.sum(1) == 0).any() else float(chi2_contingency(table, correction=False).pvalue)
