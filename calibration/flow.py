"""What agent and world tell each other: policy complexity, directed information and plasticity."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agentic_metrics import DirectedInformation, Estimate, Plasticity, PolicyComplexity, policy_complexity
from calibration.case import SURROGATES, Source, alarms, covers
from calibration.processes import EPISODES, Pair, bits, doubt, flips

POLICY = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.25] * 4, [0.05, 0.05, 0.2, 0.7]])
BLIND = np.tile([0.4, 0.3, 0.2, 0.1], (4, 1))
LENGTH = 20  # steps of an episode


def walk(policy: NDArray[np.float64], source: Source) -> Pair:
    """500 states that stay with probability 1/2, in 20 episodes, and actions of a policy (4, 4)."""
    seen, done = np.empty((25, EPISODES), int), np.empty((25, EPISODES), int)
    for t in range(25):
        fresh = source.integers(4, size=EPISODES)
        seen[t] = np.where(source.random(EPISODES) < 0.5, seen[t - 1], fresh) if t else fresh
        done[t] = (source.random(EPISODES)[:, None] > policy.cumsum(1)[seen[t], :3]).sum(1)
    return seen.T, done.T


def paid(policy: NDArray[np.float64], surrogates: int = 0) -> Callable[[Source], Estimate]:
    """The complexity of a policy."""

    def estimate(source: Source) -> Estimate:
        seen, done = walk(policy, source)
        return PolicyComplexity(surrogates=surrogates).estimate(list(seen), list(done), generator=source)

    return estimate


def echo(source: Source, episodes: int = EPISODES, steps: int = LENGTH) -> Pair:
    """Coins in front of a world that repeats them, one in ten flipped."""
    done = bits(source, episodes, steps)
    return done, done ^ (source.random(done.shape) < 0.1)


def reflex(source: Source) -> Pair:
    """A world of coins, repeated one step later, one in ten flipped."""
    seen, done = bits(source, EPISODES, LENGTH), bits(source, EPISODES, LENGTH)
    done[:, 1:] = seen[:, :-1] ^ (source.random((EPISODES, LENGTH - 1)) < 0.1)
    return done, seen


def apart(source: Source) -> Pair:
    """Whoever seldom changes what it does, in a world that seldom changes by itself."""
    return flips(0.1, source, EPISODES, LENGTH), flips(0.1, source, EPISODES, LENGTH)


def flowing(metric: DirectedInformation | Plasticity, world: Callable[[Source], Pair]) -> Callable[[Source], Estimate]:
    """Directed information or plasticity of a world's actions and observations."""

    def estimate(source: Source) -> Estimate:
        done, seen = world(source)
        return metric.estimate(list(done), list(seen), generator=source)

    return estimate


def short_echo(source: Source) -> Pair:
    return echo(source, 200, 3)


def short_coins(source: Source) -> Pair:
    return bits(source, 100, 3), bits(source, 100, 3)


CASES = (
    covers("policy complexity, 4 x 4", paid(POLICY), policy_complexity(POLICY)),
    covers("directed information, coin and echo", flowing(DirectedInformation(surrogates=0), echo), 1 - doubt(0.1)),
    covers(
        "directed information, whole past",
        flowing(DirectedInformation(order=None, surrogates=0), short_echo),
        1 - doubt(0.1),
    ),
    covers("plasticity, reflex", flowing(Plasticity(surrogates=0), reflex), (1 - doubt(0.1)) * (LENGTH - 1) / LENGTH),
    alarms("policy complexity, blind", paid(BLIND, SURROGATES), surrogates=SURROGATES),
    alarms("policy complexity, blind, chi-square", paid(BLIND)),
    alarms(
        "directed information, apart",
        flowing(DirectedInformation(surrogates=SURROGATES), apart),
        surrogates=SURROGATES,
    ),
    alarms("directed information, apart, chi-square", flowing(DirectedInformation(surrogates=0), apart), at_most=True),
    alarms(
        "directed information, whole past, coins",
        flowing(DirectedInformation(order=None, surrogates=SURROGATES), short_coins),
        surrogates=SURROGATES,
    ),
    alarms(
        "plasticity, random agent",
        flowing(Plasticity(surrogates=SURROGATES), echo),
        surrogates=SURROGATES,
    ),
    alarms("plasticity, random agent, chi-square", flowing(Plasticity(surrogates=0), echo), at_most=True),
)
