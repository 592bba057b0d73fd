"""Decisions of an agent at probes, counted before and after it was told of a change.

For agents and worlds whose policy tables cannot be had. Each probe is the first observation of an episode to the agent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, log
from typing import Any, Self, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import comb, digamma
from torch import Tensor

from agentic import Agent, Interval, Null, Record, Simplex, UserError, make, state_observations
from agentic.agents import with_flat_prior
from agentic_metrics.estimate import EXACT
from agentic_metrics.finite.query import known_world
from agentic_metrics.finite.world import Floats
from agentic_metrics.interventions.simulation import Maker
from agentic_metrics.pairs import student
from agentic_metrics.sampling.surrogates import compare

Counts = NDArray[np.int64]

SURROGATES = 999


def state_probes(environment: Maker, states: Counts, count: int, generator: np.random.Generator) -> Tensor:
    """The observations of `count` states drawn uniformly from `states`, each a cluster of its own: (count, 1, *event).

    Raises UserError where the world is not known, or observations do not tell its states.
    """
    return state_observations(known_world(environment)[0])[generator.choice(states, size=count)].unsqueeze(1)


def lived_probes(record: Record, environment: Maker, count: int, generator: np.random.Generator) -> Tensor:
    """Observations of evaluation episodes, at least `count`, drawn uniformly from each: (episodes, each, *event)."""
    episodes = record.episodes("evaluate")
    if not episodes:
        raise UserError("probes are drawn from evaluation episodes, and this record has none: record some")
    each, world = ceil(count / len(episodes)), make(environment)
    names = [f"obs.{name}" if name else "obs" for name in world.observation_layout.names]
    places = [generator.integers(episode.length, size=each) for episode in episodes]
    leaves = [
        np.concatenate([episode.arrays[name][at] for episode, at in zip(episodes, places, strict=True)])
        for name in names
    ]
    seen = world.encode(tuple(leaves))
    world.close()
    return seen.reshape(len(episodes), each, *seen.shape[1:])


@final
@dataclass(frozen=True)
class Shift:
    """The counts of each action before and after a change, (changes, clusters, probes, actions), in equal numbers.

    Clusters are what was drawn independently: states, or episodes whose observations were shown.
    """

    before: Counts
    after: Counts

    @classmethod
    def of(
        cls, pairs: Sequence[tuple[Agent, Agent]], probes: Tensor, draws: int, generator: np.random.Generator
    ) -> Self:
        """The shift from `draws` decisions of each agent, before and after, on `probes` (clusters, each, *event)."""
        source = torch.Generator().manual_seed(int(generator.integers(2**62)))
        shown = probes.flatten(0, 1)
        taken = np.array([[_decisions(agent, shown, draws, source) for agent in pair] for pair in pairs])
        chosen = np.unique(taken.reshape(-1, taken.shape[-1]), axis=0, return_inverse=True)[1].reshape(taken.shape[:-1])
        counts = (chosen[..., None] == np.arange(chosen.max() + 1)).sum(2)  # (changes, 2, probes, actions)
        parts = counts.reshape(len(pairs), 2, *probes.shape[:2], -1)
        return cls(parts[:, 0], parts[:, 1])

    @property
    def value(self) -> float:
        """The mean Jensen-Shannon divergence over probes in bits, freed of its bias; below 0 only by chance."""
        return float(divergence(self.before, self.after).mean())

    def interval(self, level: float = 0.95) -> Interval | None:
        """Student's interval over clusters, None where there is a single one."""
        means = divergence(self.before, self.after).mean((0, 2))
        return student(means, level=level, kind="drawn states or episodes") if len(means) > 1 else None

    def null(self, generator: np.random.Generator) -> Null:
        """The null in which decisions before and after are exchanged at random within each probe."""
        actions = self.before.shape[-1]
        pooled = (self.before + self.after).reshape(-1, actions)
        draws = int(self.before[0, 0, 0].sum())
        exchanged = np.array([generator.multivariate_hypergeometric(each, draws, size=SURROGATES) for each in pooled])
        surrogates = divergence(exchanged, pooled[:, None] - exchanged).mean(0)
        return compare(self.value, surrogates, "decisions before and after exchanged", tie=EXACT)


def divergence(before: Counts, after: Counts) -> Floats:
    """The Jensen-Shannon divergence (...) in bits of two equally large samples of names, from counts (..., actions).

    Entropies are those of Zhang 2012, "Entropy estimation in Turing's perspective", sum_k c_k / n (psi(n) - psi(c_k)),
    whose bias falls exponentially with n. That of the mixture is taken of n of the 2 n names, each from either sample
    by the toss of a coin, in expectation over the tosses: so there is no bias at all where the two are the same.
    """
    size = int(before.sum(-1).flat[0])
    return np.asarray(_shares(size)[before, after].sum(-1))


@cache
def _shares(size: int) -> Floats:
    """What an action counted (before, after) times of `size` each adds to the divergence, (size + 1, size + 1) bits."""
    count = np.arange(size + 1)
    weight = np.where(count > 0, count * digamma(np.maximum(count, 1)), 0.0)
    sums = np.append(weight, np.zeros(size))[count[:, None] + count]  # never more than size are taken
    mixed = np.zeros((size + 1, size + 1))
    for one in range(size + 1):  # so many from before, the rest from after
        first, second = _taken(size, one), _taken(size, size - one)
        mixed += comb(size, one) / 2.0**size * (first @ sums @ second.T)
    return np.asarray(((weight[:, None] + weight) / 2 - mixed) / (size * log(2)))


def _taken(size: int, taken: int) -> Floats:
    """Probability (count, x) that x of `count` marked ones, among `size`, are among the `taken`: hypergeometric."""
    count = np.arange(size + 1)
    marked, found = count[:, None], count[None]
    return np.asarray(comb(marked, found) * comb(size - marked, taken - found) / comb(size, taken))


def _decisions(agent: Agent, shown: Tensor, draws: int, source: torch.Generator) -> Floats:
    """Actions (draws, probes, action) of a sealed copy that meets each of `shown` (probes, *event) afresh."""
    sealed = agent.sealed()

    def decided() -> NDArray[Any]:
        state = with_flat_prior(sealed.start(len(shown), generator=source))
        return sealed.decide(state, shown, generator=source).action.detach().numpy().reshape(len(shown), -1)

    return np.array([decided() for _ in range(draws)])


def choices_in(environment: Maker, name: str) -> Simplex:
    """The domain of actions that are choices among names. Raises UserError, in the name of a metric, for others."""
    world = make(environment)
    world.close()
    if isinstance(world.action, Simplex):
        return world.action
    raise UserError(
        f"{name} compares choices among discrete actions, {world.id} has {world.action}: policy_adaptation takes any"
    )
