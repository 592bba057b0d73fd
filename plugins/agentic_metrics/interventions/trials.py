"""An agent before and after a change: its returns in the changed world, and the adaptation that they show.

Returns are exact where the world is finite, known and fully observed, and those of rollouts elsewhere.
"""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from math import nan
from typing import Any, Self, final

import numpy as np
from gymnasium.wrappers import TimeLimit
from numpy.typing import ArrayLike, NDArray

from agentic import Agent, Interval, Intervention, Null, Schedule, Subject, UserError, make, run, ticks
from agentic_metrics.estimate import EXACT, exact_null
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import Floats, World, expected_return, optimal_return, ties
from agentic_metrics.interventions.simulation import Maker
from agentic_metrics.pairs import exchanged, student
from agentic_metrics.sampling.surrogates import compare

SENSITIVE = 0.01  # of the best return over that of chance: what planning anew must be worth to be asked for
SURROGATES = 999


def index(frozen: Any, after: Any, best: Any, noise: Any = 0.0, chance: Any = 0.0) -> Any:
    """The adaptation index (after - frozen) / (best - frozen); NaN where the gap is small or not told from noise."""
    gap, equal = np.asarray(best - frozen), ties(np.stack(np.broadcast_arrays(best, frozen), -1))[..., 1]
    sensitive = ~equal & (gap > np.maximum(SENSITIVE * np.abs(best - chance), noise))
    return np.where(sensitive, (after - frozen) / np.where(sensitive, gap, 1.0), nan)


def bounds(world: World, *, horizon: int, discount: float) -> tuple[float, float]:
    """The returns of the best policy and of a uniformly random one."""
    uniform = np.full(world.rewards.shape, 1 / world.actions)
    best = optimal_return(world, horizon=horizon, discount=discount)
    return best, expected_return(world, uniform, horizon=horizon, discount=discount)


@final
@dataclass(frozen=True)
class Returns:
    """The returns of an agent before and after the change, (interventions, episodes), in a single column where `exact`.

    `best` (interventions, n) are those of the best policy: one known value, or n episodes, the same for all
    interventions, of what is taken for it. `chance` (interventions,) are those of a uniformly random policy, 0 where
    they are not known.
    """

    frozen: Floats
    after: Floats
    best: Floats
    chance: Floats
    exact: bool

    @classmethod
    def of(cls, frozen: ArrayLike, after: ArrayLike, best: ArrayLike, chance: ArrayLike = 0.0) -> Self:
        """The returns from arrays (interventions,) where exact, else (interventions, episodes); `best` as either.

        Raises UserError where shapes disagree.
        """
        before, later, top = (np.asarray(values, dtype=np.float64) for values in (frozen, after, best))
        fits = before.shape == later.shape and before.ndim in (1, 2)
        if not fits or top.ndim not in (1, 2) or len(top) != len(before):
            raise UserError(
                "policy adaptation expects frozen and after (interventions,) or (interventions, episodes) and best "
                f"(interventions,) or (interventions, episodes), got {before.shape}, {later.shape} and {top.shape}"
            )
        count = len(before)
        random = np.broadcast_to(np.asarray(chance, np.float64), count)
        rows = (count, -1)
        return cls(before.reshape(rows), later.reshape(rows), top.reshape(rows), random, before.ndim == 1)

    @property
    def indices(self) -> Floats:
        """The adaptation index of each intervention, NaN where it is not defined."""
        noise = 2 * np.hypot(_error(self.frozen), _error(self.best))
        return np.asarray(index(self.frozen.mean(-1), self.after.mean(-1), self.best.mean(-1), noise, self.chance))

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """The same of some of the interventions."""
        return type(self)(self.frozen[chosen], self.after[chosen], self.best[chosen], self.chance[chosen], self.exact)

    def interval(self, level: float, *, decided: bool) -> Interval | None:
        """The interval of the mean index: over the family that the interventions were drawn from.

        Where they were `decided` on, over episodes by the delta method, the frozen and the later return of an episode
        being a pair; None where that is exact.
        """
        if not decided:
            return student(self.indices, level=level, kind="interventions")
        if self.exact:
            return None
        indices, gaps = self.indices, self.best.mean(-1) - self.frozen.mean(-1)
        pairs = self.after - (1 - indices[:, None]) * self.frozen
        chance = np.hypot.reduce(_error(pairs) / gaps)
        ours = (indices / gaps * _error(self.best)).sum()  # what stands for the best is the same for all
        count, episodes = self.frozen.shape
        error = float(np.hypot(chance, ours)) / count if episodes > 1 else np.inf
        method = f"Student t over {episodes} episodes, delta method"
        return Interval.student(float(indices.mean()), error, max(1, episodes - 1), level=level, method=method)

    def null(self, generator: np.random.Generator | None) -> Null:
        """The null of an agent that does not adapt: 0, or frozen and after exchanged in random episodes.

        Raises UserError for sampled returns without a generator.
        """
        if self.exact:
            return exact_null(float(self.indices.mean()), "a policy that does not change")
        if generator is None:
            raise UserError("policy adaptation of sampled returns needs a generator, for its null")
        shares = (self.after - self.frozen) / (self.best.mean(-1) - self.frozen.mean(-1))[:, None]
        surrogates = exchanged(shares, SURROGATES, generator)
        return compare(float(shares.mean()), surrogates, "frozen and after exchanged in random episodes", tie=EXACT)


@final
@dataclass(frozen=True)
class Trial:
    """The returns in one changed world.

    `frozen` and `after` of the agent as it was and as it became: one exact value (), or one per episode (n,). `best`
    of the best policy: one value (), or one per episode (n,) of what is taken for it. `course` (episodes,) is the
    agent's worth while it found out, empty where it was informed; `chance` what a uniformly random policy earns, 0
    where that is not known.
    """

    frozen: Floats
    after: Floats
    best: Floats
    chance: float
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

        frozen, (best, chance) = worth(subject.agent), self._bounds(world)
        if not _learns(subject, intervention):
            return Trial(frozen, worth(sealed.agent), best, chance)
        course = np.array([worth(agent) for agent, _ in self._learning(subject.agent, sealed.environment, seed)])
        return Trial(frozen, course[-1], best, chance, course)

    def sampled(self, subject: Subject, intervention: Intervention, seed: int, best: Floats) -> Trial:
        """The trial from rollouts on the same seeds; `best` (n,) is used where the changed world is not known."""
        sealed, course, chance = subject.under(intervention), np.empty(0), 0.0
        agent, environment = sealed.agent, sealed.environment
        if _learns(subject, intervention):
            agents, totals = zip(*self._learning(subject.agent, environment, seed), strict=True)
            agent, course = agents[-1], np.array(totals)
        frozen, after = (self.returns(each, environment, seed) for each in (subject.agent, agent))
        with suppress(UserError):
            best, chance = self._bounds(known_world(environment)[1])
        return Trial(frozen, after, best, chance, course)

    def returns(self, agent: Agent, environment: Maker, seed: int) -> Floats:
        """The discounted returns (episodes,) of a sealed copy of the agent."""
        rows = make(self._limited(environment), envs=self.episodes)  # each with a seed of its own: episodes are pairs
        record = run(agent.sealed(), rows, Schedule(episodes=self.episodes), seed=seed)
        rows.close()
        paid = [episode.arrays["reward"] for episode in record.episodes("evaluate")]
        return np.array([self.discount ** np.arange(len(rewards)) @ rewards for rewards in paid])

    def _limited(self, environment: Maker) -> Maker:
        return lambda: TimeLimit(environment(), self.horizon)

    def _bounds(self, world: World) -> tuple[Floats, float]:
        best, chance = bounds(world, horizon=self.horizon, discount=self.discount)
        return np.array(best), chance

    def _learning(self, agent: Agent, environment: Maker, seed: int) -> Iterator[tuple[Agent, float]]:
        """A copy of the agent after each episode in which it learned, and the episode's discounted return."""
        pupil, total = deepcopy(agent), 0.0
        assert pupil.learner is not None
        for tick in ticks(pupil, self._limited(environment), seed=seed, episodes=self.episodes, accounts=False):
            pupil.learner.update(tick)
            total += self.discount ** int(tick.t[0]) * float(tick.reward[0])
            if tick.terminated[0] or tick.truncated[0]:
                yield pupil, total
                total = 0.0


def _learns(subject: Subject, intervention: Intervention) -> bool:
    return intervention.change is None and subject.agent.learner is not None


def _error(values: Floats) -> Floats:
    """Standard errors of the means of the rows of `values` (n, episodes), (n,); 0 of single values."""
    count = values.shape[1]
    return np.asarray(values.std(-1, ddof=1) / np.sqrt(count)) if count > 1 else np.zeros(len(values))
