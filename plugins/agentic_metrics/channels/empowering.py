"""Empowerment: how much of what it will sense a world lets an agent choose, in every state or in one place."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from math import log2
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import ArrayLike

from agentic import Access, Frame, Interval, Measurement, Metric, Subject, Truth, UserError
from agentic_metrics.cautions import Caution
from agentic_metrics.channels.arimoto import solve
from agentic_metrics.channels.linearization import CHANGES, gain, mean_over_starts, started
from agentic_metrics.channels.moves import Moves
from agentic_metrics.channels.outcomes import channels, standing
from agentic_metrics.channels.views import alike
from agentic_metrics.channels.water import covariance_of, linear_capacity
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.arrays import Floats, Ints
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.query import known_world

WAYS = ("auto", "exact", "linearized")


@final
@dataclass(frozen=True)
class EmpowermentMap:
    """The empowerment of each of `states` (n,) in bits: `value` (n,) is achieved, and no more than `upper` (n,) is.

    `estimator` is "reachability" where it was a matter of counting, and then both are equal; else "Blahut-Arimoto".
    """

    states: Ints
    value: Floats
    upper: Floats
    estimator: str

    @property
    def gap(self) -> float:
        """The largest distance between the bounds, bits."""
        return float((self.upper - self.value).max())


@final
@dataclass(frozen=True)
class Empowerment(Metric):
    """The capacity, in bits, of the channel from `horizon` actions, chosen blindly, to the observation after them.

    Worlds of finitely many known states: exactly, averaged over the states that can be reached from the start and in
    which one acts, each counting alike; what ends an episode is no control, nor is the reset that follows. Where it is
    a capacity the interval holds the certified bounds, at most `tolerance` bits apart. Worlds of continuous actions:
    linearized about no action at `starts` starts, with total `power` over the actions and `noise` (a variance) on the
    state that is read in the end; both decide the number. `estimator`: "exact", "linearized", or "auto", which takes
    the second for continuous actions. A world in which actions change nothing has exactly 0.
    """

    horizon: int = 3
    tolerance: float = 1e-6
    power: float = 1.0
    noise: float = 0.01
    starts: int = 8
    level: float = 0.95
    estimator: str = "auto"

    access = Access.MODEL
    unit = "bits"
    needs = ("environment",)

    def __post_init__(self) -> None:
        if self.horizon < 1 or self.starts < 2 or min(self.tolerance, self.power, self.noise) <= 0:
            raise UserError(
                f"empowerment expects horizon >= 1, starts >= 2 and tolerance, power and noise above 0, got {self}"
            )
        if not 0 < self.level < 1 or self.estimator not in WAYS:
            raise UserError(
                f"empowerment expects a level between 0 and 1 and an estimator among {', '.join(WAYS)}, got {self}"
            )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        with closing(subject.environment()) as env:
            box = isinstance(env.action_space, Box)
            continuous = self.estimator == "linearized" or (self.estimator == "auto" and box)
            found = self._linearized(env, generator) if continuous else self._exact(subject)
        budget = f"; power {self.power:g} in all, noise variance {self.noise:g} on what is read in the end"
        frame = Frame(
            variables=("sequences of actions", "state after them" if continuous else "observation after them"),
            boundary="whoever acts chooses all actions blindly, the environment is all else"
            + (budget if continuous else ""),
            horizon=self.horizon,
            goal="none: whatever can be told apart counts alike",
            start="the environment's own resets" if continuous else "every state in reach in which one acts, alike",
            interventions=(CHANGES,) if continuous else (),
        )
        return found.measurement("empowerment", self, frame)

    def map(
        self, dynamics: ArrayLike, *, sensor: ArrayLike | None = None, states: ArrayLike | None = None
    ) -> EmpowermentMap:
        """The empowerment of each state, in bits: E_n(s) = max over p(a_1..a_n) of I(A_1..A_n; O_n | s).

        `dynamics` (s, a, s') are probabilities, states in which nothing can be done any more stay as they are. `sensor`
        is what is told apart n = `horizon` steps later: a reading of each state (s,), or probabilities (s, o) of
        readings; without it states themselves. `states` (n,) are those of interest; all, if None. Where nothing is left
        to chance this is log2 of the number of readings that can be reached; elsewhere the capacity of the channel from
        sequences of actions to readings, certified to `tolerance` bits. An agent that has one action, or whose actions
        change nothing, has exactly 0. (Klyubin, Polani and Nehaniv 2005.)

        Raises UserError where shapes disagree, rows are no distributions, or a horizon is too long to be computed.
        """
        moves = Moves.of(dynamics, sensor)
        chosen = np.arange(moves.states) if states is None else np.asarray(states, np.int64).reshape(-1)
        if not len(chosen) or chosen.min() < 0 or chosen.max() >= moves.states:
            raise UserError(f"name at least one state, by its number from 0 to {moves.states - 1}, got {chosen}")
        if moves.certain:
            value = np.log2(_readings(moves, chosen, self.horizon))
            return EmpowermentMap(chosen, value, value, "reachability")
        different, which = np.unique(alike(moves, chosen, self.horizon), return_inverse=True)
        solved = solve(list(channels(moves, chosen[different], self.horizon)), tolerance=self.tolerance)
        value, upper = (np.array([getattr(found, name) for found in solved])[which] for name in ("value", "upper"))
        return EmpowermentMap(chosen, value, upper, "Blahut-Arimoto")

    def linearized(self, env: gymnasium.Env[Any, Any], noise: ArrayLike | None = None) -> float:
        """The empowerment of the place where `env` is now, in bits, to first order in the actions.

        The state after n = `horizon` actions is f(0) + G u, with G by central differences on copies of the environment
        about no action (the one nearest to zero), and is read with `noise`: a variance (by default the metric's own),
        or variances (d,), or a covariance (d, d). Total `power` E |u|^2, in squared units of the actions, is spread by
        water-filling (Salge, Glackin and Polani 2013). What noise the simulator itself makes on the way is not counted.

        Raises UserError where actions or states are not continuous, or an episode ends within the horizon.
        """
        found = gain(env, self.horizon)
        read = covariance_of(self.noise if noise is None else noise, len(found))
        return linear_capacity(found, read, self.power).value

    def _exact(self, subject: Subject) -> Estimate:
        truth, world = known_world(subject.environment)
        states = np.flatnonzero(reached(world) & ~world.ended)
        if not len(states):
            raise UserError("empowerment needs a state in which one acts, this world has ended where it starts")
        found = self.map(world.dynamics, sensor=_sensor(truth)[world.origin], states=states)
        low, high = float(found.value.mean()), float(found.upper.mean())
        bounded = found.estimator == "Blahut-Arimoto"
        wide = Caution(f"the bounds are {found.gap:.2g} bits apart: choose a larger tolerance")
        return Estimate(
            value=low,
            estimator=found.estimator,
            interval=Interval(1.0, low, high, "certified bounds") if bounded else None,
            null=exact_null(low, "actions without effect"),
            diagnostics={"states": found.states.tolist(), **_spread(found.value.tolist()), "gap": found.gap},
            cautions=(wide,) if found.gap > self.tolerance else (),
        )

    def _linearized(self, env: gymnasium.Env[Any, Any], generator: np.random.Generator) -> Estimate:
        values = [self.linearized(here) for here in started(env, self.starts, generator)]
        return mean_over_starts(
            values, level=self.level, estimator="linearized, water-filling", diagnostics=_spread(values)
        )

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """On ice each move goes astray two times in three: log2(4/3) bits are left, 1/3 in the two upper corners."""
        value = (9 * log2(4 / 3) + 2 / 3) / 11
        lake = Subject(environment=lambda: gymnasium.make("FrozenLake-v1", is_slippery=True))
        yield cls(horizon=1, tolerance=1e-9), lake, value, 2e-9


def _spread(values: list[float]) -> dict[str, object]:
    return {"map": values, "least": min(values), "largest": max(values)}


def _readings(moves: Moves, states: Ints, horizon: int) -> Ints:
    """How many readings can be had after exactly `horizon` steps, (n,)."""
    anywhere = sum((moves.under(action) for action in range(1, moves.actions)), start=moves.under(0)).sign()
    reached = standing(states, moves.states)
    for _ in range(horizon):
        reached = (reached @ anywhere).sign()
    return np.asarray(np.diff((reached @ moves.sensor.matrix()).indptr))


def _sensor(truth: Truth) -> Floats:
    """The probability of each joint observation in each state, (s, o)."""
    states = int(np.prod([len(first) for first in truth["D"]]))
    joint = np.ones((states, 1))
    for levels in truth["A"]:
        joint = (joint[:, :, None] * levels.reshape(len(levels), states).T[:, None]).reshape(states, -1)
        joint = joint[:, joint.any(0)]
    return joint
