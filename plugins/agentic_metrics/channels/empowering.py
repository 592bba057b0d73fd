"""Empowerment as a metric: what a world lets whoever acts in it choose to sense."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray
from scipy.special import stdtrit

from agentic import Access, Frame, Interval, Measurement, Metric, Subject, Truth, UserError
from agentic_metrics.cautions import Caution
from agentic_metrics.channels.maps import empowerment
from agentic_metrics.channels.simulator import linearized_empowerment
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.query import known_world
from agentic_metrics.finite.world import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WAYS = ("auto", "exact", "linearized")


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
        env = subject.environment()
        try:
            continuous = self.estimator == "linearized" or (
                self.estimator == "auto" and isinstance(env.action_space, Box)
            )
            found = self._linearized(env, generator) if continuous else self._exact(subject)
        finally:
            env.close()
        budget = f"power {self.power:g} in all, noise variance {self.noise:g} on what is read in the end"
        frame = Frame(
            variables=("sequences of actions", "state after them" if continuous else "observation after them"),
            boundary="whoever acts chooses all actions blindly, the environment is all else"
            + (f"; {budget}" if continuous else ""),
            horizon=self.horizon,
            goal="none: whatever can be told apart counts alike",
            start="the environment's own resets" if continuous else "every state in reach in which one acts, alike",
            interventions=("small changes of the actions, on copies of the environment",) if continuous else (),
        )
        return found.measurement("empowerment", self, frame)

    def _exact(self, subject: Subject) -> Estimate:
        truth, world = known_world(subject.environment)
        states = _living(world)
        if not len(states):
            raise UserError("empowerment needs a state in which one acts, this world has ended where it starts")
        found = empowerment(
            world.dynamics, self.horizon, sensor=_sensor(truth), states=states, tolerance=self.tolerance
        )
        low, high = float(found.lower.mean()), float(found.upper.mean())
        bounded = found.estimator == "Blahut-Arimoto"
        wide = Caution(f"the bounds are {found.gap:.2g} bits apart: choose a larger tolerance")
        return Estimate(
            value=low,
            estimator=found.estimator,
            interval=Interval(1.0, low, high, "certified bounds") if bounded else None,
            null=exact_null(low, "actions without effect"),
            diagnostics={
                "states": found.states.tolist(),
                "map": found.value.tolist(),
                "least": float(found.value.min()),
                "largest": float(found.value.max()),
                "gap": found.gap,
            },
            cautions=(wide,) if found.gap > self.tolerance else (),
        )

    def _linearized(self, env: gymnasium.Env[Any, Any], generator: np.random.Generator) -> Estimate:
        values = []
        for seed in generator.integers(2**31, size=self.starts):
            env.reset(seed=int(seed))
            values.append(linearized_empowerment(env, self.horizon, power=self.power, noise=self.noise))
        value, n = float(np.mean(values)), self.starts
        half = float(stdtrit(n - 1, 0.5 + self.level / 2) * np.std(values, ddof=1) / n**0.5)
        return Estimate(
            value=value,
            estimator="linearized, water-filling",
            interval=Interval(self.level, value - half, value + half, f"Student t over {n} starts"),
            null=exact_null(value, "actions without effect"),
            samples=n,
            diagnostics={"map": values, "least": min(values), "largest": max(values)},
        )

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """On ice each move goes astray two times in three: log2(4/3) bits are left, 1/3 in the two upper corners."""
        value = (9 * log2(4 / 3) + 2 / 3) / 11
        lake = Subject(environment=lambda: gymnasium.make("FrozenLake-v1", is_slippery=True))
        yield cls(horizon=1, tolerance=1e-9), lake, value, 2e-9


def _living(world: World) -> Ints:
    """The states that can be reached from the start and in which one acts."""
    reached, before = world.start > 0, np.zeros(world.states, bool)
    leads = world.dynamics.max(1) > 0
    while (reached != before).any():
        before, reached = reached, reached | leads[reached & ~world.ended].any(0)
    return np.flatnonzero(reached & ~world.ended)


def _sensor(truth: Truth) -> Floats:
    """The probability of each joint observation in each state, (s, o)."""
    states = int(np.prod([len(first) for first in truth["D"]]))
    joint = np.ones((states, 1))
    for levels in truth["A"]:
        joint = (joint[:, :, None] * levels.reshape(len(levels), states).T[:, None]).reshape(states, -1)
        joint = joint[:, joint.any(0)]
    return joint
