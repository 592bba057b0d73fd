"""An agent before and after a change: what its old policy is worth in the changed world, its new one, and the best.

Exactly where the world is finite, known and fully observed, by rollouts elsewhere.
"""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import final

import numpy as np
from gymnasium.wrappers import TimeLimit

from agentic import Agent, Intervention, Subject, UserError, make, run, ticks
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import Floats, World, expected_return, optimal_return
from agentic_metrics.interventions.simulation import Maker


@final
@dataclass(frozen=True)
class Trial:
    """Returns in one changed world.

    `frozen` and `after` of the agent as it was and as it became: one exact value (), or one per episode (n,). `best`
    of the best policy: one value (), or one per episode (n,) of what is taken for it. `course` (episodes,) is the
    agent's worth while it found out, empty where it was informed.
    """

    frozen: Floats
    after: Floats
    best: Floats
    course: Floats = field(default_factory=lambda: np.empty(0))


@final
@dataclass(frozen=True)
class Bench:
    """The setting of trials: returns over `horizon` steps with `discount`, of so many `episodes` where sampled.

    Agents are sealed and informed of what the intervention announces; those that have a learner and are told nothing
    first learn in the changed world for so many `episodes`.
    """

    horizon: int
    discount: float
    episodes: int

    def exact(self, subject: Subject, intervention: Intervention, generator: np.random.Generator) -> Trial:
        """The trial from policy tables. Raises UserError where the world is not known or not fully observed."""
        sealed, seed = subject.under(intervention), int(generator.integers(2**31))
        truth, world = known_world(sealed.environment)

        def worth(agent: Agent) -> Floats:  # the same draws for all: what decides alike is counted alike
            table = query(agent, truth, generator=np.random.default_rng(seed))
            return np.array(expected_return(world, table, horizon=self.horizon, discount=self.discount))

        frozen, best = worth(subject.agent), self._optimal(world)
        if not _learns(subject, intervention):
            return Trial(frozen, worth(sealed.agent), best)
        course = np.array([worth(agent) for agent, _ in self._learning(subject.agent, sealed.environment, seed)])
        return Trial(frozen, course[-1], best, course)

    def sampled(self, subject: Subject, intervention: Intervention, seed: int, best: Floats) -> Trial:
        """The trial from rollouts on the same seeds; `best` (n,) is used where the changed world is not known."""
        sealed, course = subject.under(intervention), np.empty(0)
        agent, environment = sealed.agent, sealed.environment
        if _learns(subject, intervention):
            agents, totals = zip(*self._learning(subject.agent, environment, seed), strict=True)
            agent, course = agents[-1], np.array(totals)
        frozen, after = (self.returns(each, environment, seed) for each in (subject.agent, agent))
        with suppress(UserError):
            best = self._optimal(known_world(environment)[1])
        return Trial(frozen, after, best, course)

    def returns(self, agent: Agent, environment: Maker, seed: int) -> Floats:
        """Discounted returns (episodes,) of a sealed copy of the agent."""
        rows = make(self._limited(environment), envs=self.episodes)  # each with a seed of its own: episodes are pairs
        record = run(agent.sealed(), rows, seed=seed, episodes=self.episodes)
        rows.close()
        paid = [episode.arrays["reward"] for episode in record.episodes("evaluate")]
        return np.array([self.discount ** np.arange(len(rewards)) @ rewards for rewards in paid])

    def _limited(self, environment: Maker) -> Maker:
        return lambda: TimeLimit(environment(), self.horizon)

    def _optimal(self, world: World) -> Floats:
        return np.array(optimal_return(world, horizon=self.horizon, discount=self.discount))

    def _learning(self, agent: Agent, environment: Maker, seed: int) -> Iterator[tuple[Agent, float]]:
        """A copy of the agent after each episode in which it learned, and the episode's discounted return."""
        student, total = deepcopy(agent), 0.0
        assert student.learner is not None
        for tick in ticks(student, self._limited(environment), seed=seed, episodes=self.episodes):
            student.learner.update(tick)
            total += self.discount ** int(tick.t[0]) * float(tick.reward[0])
            if tick.terminated[0] or tick.truncated[0]:
                yield student, total
                total = 0.0


def _learns(subject: Subject, intervention: Intervention) -> bool:
    return intervention.change is None and subject.agent.learner is not None
