"""Goal-directedness as a metric: of an agent, or of a record of what it did, in a finite known world."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from agentic import Access, Frame, Measurement, Metric, Subject, Truth, UserError
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.behavior import Places, recorded_behavior
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import Floats, World
from agentic_metrics.purpose.goals import goal_directedness, goal_directedness_from_episodes
from agentic_metrics.purpose.utilities import LARGEST, attributed_goal, attributed_goal_from_episodes


@final
@dataclass(frozen=True)
class GoalDirectedness(Metric):
    """MEG, in nats: how much better decisions are explained by the pursuit of a goal than by chance.

    0 for a random agent. The goal is the environment's reward less `cost` per step while the episode lasts or, where it
    is not `known`, whichever utility of the state `variables` (indices of the state's factors; none: the whole state)
    explains most. From a record, with `surrogates` sets of random episodes beside it where the goal is known, or, with
    `exact`, from the agent's own action probabilities. A constant policy may score, and a table cloned from a planner
    scores what the planner does.
    """

    horizon: int = 12
    discount: float = 1.0
    cost: float = 0.0
    known: bool = True
    variables: tuple[int, ...] = ()
    exact: bool = False
    largest: float = float("inf")
    surrogates: int = 499
    level: float = 0.95

    access = Access.MODEL
    unit = "nats"

    def __post_init__(self) -> None:
        if self.horizon < 1 or not 0 < self.discount <= 1 or self.surrogates < 0 or not 0 < self.level < 1:
            raise UserError(
                "goal_directedness expects a horizon >= 1, a discount in (0, 1], surrogates >= 0 and a level between 0 "
                f"and 1, got {self}"
            )
        if self.known and self.variables:
            raise UserError("variables are those of an unknown goal: add known=false, or leave them out")

    @property
    def needs(self) -> tuple[Literal["record", "agent", "environment"], ...]:
        return ("agent", "environment") if self.exact else ("record", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        of = f"state factors {list(self.variables)}" if self.variables else "the state"
        price = f" less {self.cost:g} per step" if self.cost else ""
        frame = Frame(
            variables=("state", "action"),
            boundary="the agent chooses actions, the world does the rest",
            horizon=self.horizon,
            goal=f"the environment's reward{price}" if self.known else f"the best utility of {of}",
            start="the environment's own resets" if self.exact else "the first states of the record's episodes",
            interventions=(),
        )
        found = self._exact(subject, generator) if self.exact else self._sampled(subject, generator)
        return found.measurement("goal_directedness", self, frame)

    def _exact(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        truth, world = known_world(subject.environment)
        policy = query(subject.agent, truth, generator=generator)
        details: dict[str, object]
        if self.known:
            found = goal_directedness(
                world,
                policy,
                utility=self._utility(world),
                horizon=self.horizon,
                discount=self.discount,
                largest=self.largest,
            )
            value, share = found.value, found.normalized
            details = {"beta": found.beta, "sign": found.sign, "limit": found.limit}
        else:
            best = attributed_goal(
                world,
                policy,
                self._labels(truth),
                horizon=self.horizon,
                discount=self.discount,
                largest=min(self.largest, LARGEST),
            )
            value, share, details = best.value, best.normalized, {"utility": best.utility}
        null = exact_null(value, "a uniformly random policy")
        return Estimate(value=value, estimator="exact", null=null, diagnostics={"normalized": share, **details})

    def _sampled(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        world, states, actions = recorded_behavior(subject.record, subject.environment)
        if not self.known:
            return attributed_goal_from_episodes(
                world,
                states,
                actions,
                self._labels(known_world(subject.environment)[0]),
                horizon=self.horizon,
                discount=self.discount,
                largest=min(self.largest, LARGEST),
                level=self.level,
                generator=generator,
            )
        return goal_directedness_from_episodes(
            world,
            states,
            actions,
            utility=self._utility(world),
            horizon=self.horizon,
            discount=self.discount,
            largest=self.largest,
            surrogates=self.surrogates,
            level=self.level,
            generator=generator,
        )

    def _utility(self, world: World) -> Floats:
        return np.where(world.ended[:, None], 0.0, world.rewards - self.cost)

    def _labels(self, truth: Truth) -> Places | None:
        """The joint value of the variables in each state, the last varying fastest."""
        if not self.variables:
            return None
        sizes = [len(first) for first in truth["D"]]
        if not all(0 <= each < len(sizes) for each in self.variables):
            raise UserError(f"variables are factors of the state from 0 to {len(sizes) - 1}, got {self.variables}")
        values = np.indices(sizes).reshape(len(sizes), -1)[list(self.variables)]
        return np.asarray(np.ravel_multi_index(list(values), [sizes[each] for each in self.variables]))
