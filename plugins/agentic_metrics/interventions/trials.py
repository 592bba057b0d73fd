"""An agent before and after a change: what its old policy is worth in the changed world, its new one, and the best.

Exactly where the world is finite, known and fully observed, by rollouts elsewhere.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import final

import numpy as np
from gymnasium.wrappers import TimeLimit

from agentic import Agent, Intervention, Schedule, Subject, UserError, make, run, ticks
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import Floats, World, expected_return, optimal_return
from agentic_metrics.interventions.families import Maker


@final
@dataclass(frozen=True)
class Trial:
    """Returns in one changed world.

    `frozen` and `after` (n,) of the agent as it was and as it became: one exact value, or one per episode. `best` (n,)
    of the best policy: one value, or one per episode of what is taken for it. `course` (episodes,) is the agent's worth
    while it found out, empty where it was told.
    """

    frozen: Floats
    after: Floats
    best: Floats
    course: Floats = field(default_factory=lambda: np.empty(0))


@final
@dataclass(frozen=True)
class Bench:
    """How trials are run: returns over `horizon` steps with `discount`, from so many `episodes` where they are sampled.

    Agents are sealed and told what the intervention announces; those that have a learner and are told nothing first
    learn in the changed world for so many `episodes`.
    """

    horizon: int
    discount: float
    episodes: int

    def exact(self, subject: Subject, intervention: Intervention, generator: np.random.Generator) -> Trial:
        """From policy tables. Raises UserError where the world is not known or not fully observed."""
        sealed = subject.under(intervention)
        assert sealed.agent is not None
        assert sealed.environment is not None
        environment, seed = sealed.environment, int(generator.integers(2**31))
        truth, world = known_world(environment)

        def worth(agent: Agent) -> float:  # the same draws for all: what decides alike is counted alike
            table = query(agent, truth, generator=np.random.default_rng(seed))
            return expected_return(world, table, horizon=self.horizon, discount=self.discount)

        frozen, best = np.array([worth(subject.agent)]), self._optimal(world)
        if not _learns(subject, intervention):
            return Trial(frozen, np.array([worth(sealed.agent)]), best)
        course = [worth(agent) for agent, _ in self._learning(subject.agent, environment, seed)]
        return Trial(frozen, np.array(course[-1:]), best, np.array(course))

    def sampled(self, subject: Subject, intervention: Intervention, seed: int, best: Floats) -> Trial:
        """From rollouts on the same seeds; `best` (n,) is used where the changed world is not known."""
        sealed = subject.under(intervention)
        agent, environment = sealed.agent, sealed.environment
        assert agent is not None
        assert environment is not None
        course = np.empty(0)
        if _learns(subject, intervention):
            agents, totals = zip(*self._learning(subject.agent, environment, seed), strict=True)
            agent, course = agents[-1], np.array(totals)
        frozen, after = self.returns(subject.agent, environment, seed), self.returns(agent, environment, seed)
        return Trial(frozen, after, self._best(environment, best), course)

    def returns(self, agent: Agent, environment: Maker, seed: int) -> Floats:
        """Discounted returns (episodes,) of a sealed copy of the agent."""
        rows = make(self._limited(environment), envs=self.episodes)  # each with a seed of its own: episodes are pairs
        record = run(agent.sealed(), rows, Schedule(episodes=self.episodes), seed=seed)
        rows.close()
        paid = [episode.arrays["reward"] for episode in record.episodes("evaluate")]
        return np.array([self.discount ** np.arange(len(rewards)) @ rewards for rewards in paid])

    def _limited(self, environment: Maker) -> Maker:
        return lambda: TimeLimit(environment(), self.horizon)

    def _best(self, environment: Maker, best: Floats) -> Floats:
        try:
            return self._optimal(known_world(environment)[1])
        except UserError:
            return best

    def _optimal(self, world: World) -> Floats:
        return np.array([optimal_return(world, horizon=self.horizon, discount=self.discount)])

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
