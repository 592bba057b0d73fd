"""Nulls where few long episodes remember much, where a clock is shared and where cells are sparse or values tied."""

from collections.abc import Callable

import numpy as np

from agentic_metrics import ActiveInformationStorage, Estimate, Plasticity, PolicyComplexity, TransferEntropy
from calibration.case import SURROGATES, Case, Source, alarms, covers
from calibration.processes import Pair, flips

SHAPES = ((1, 500), (3, 100), (5, 100), (10, 50))  # episodes and their steps
MOVES = (0.1, 0.02)  # how often a sticky name changes; every seed tries one of them
World = Callable[[Source], Pair]


def sticky(episodes: int, steps: int) -> World:
    """Two chains apart that stay with .9, or both with .98."""

    def world(source: Source) -> Pair:
        moves = source.choice(MOVES)
        return flips(moves, source, episodes, steps), flips(moves, source, episodes, steps)

    return world


def clock(source: Source) -> Pair:
    """Two series of 3 episodes, each of which does nearly the same at the same step of every episode."""
    hands = source.integers(2, size=(2, 1, 120))
    first, second = np.where(source.random((2, 3, 120)) < 0.2, source.integers(2, size=(2, 3, 120)), hands)
    return first, second


def heart(source: Source) -> Pair:
    """What is seen follows actions that 7 episodes have in common, played by heart."""
    done = np.tile(flips(0.2, source, 1, 60), (7, 1))
    late = np.concatenate([done[:, :1], done[:, :-1]], axis=1)
    return np.where(source.random(done.shape) < 0.3, source.integers(2, size=done.shape), late), done


def many(source: Source) -> Pair:
    """Twenty names, each seen with every other hardly once."""
    return source.integers(20, size=(10, 50)), source.integers(20, size=(10, 50))


def tied(source: Source) -> Pair:
    """Numbers rounded to .1 and clipped at two standard deviations."""
    first, second = source.normal(size=(2, 10, 40)).clip(-2, 2).round(1)
    return first, second


def acted(world: World, surrogates: int = SURROGATES) -> Callable[[Source], Estimate]:
    """The policy complexity of what is seen and done."""

    def estimate(source: Source) -> Estimate:
        seen, done = world(source)
        return PolicyComplexity(surrogates=surrogates).estimate(list(seen), list(done), generator=source)

    return estimate


def transferred(world: World, estimator: str = "auto", surrogates: int = SURROGATES) -> Callable[[Source], Estimate]:
    """The transfer from the first of two series to the second."""

    def estimate(source: Source) -> Estimate:
        first, second = world(source)
        metric = TransferEntropy(lag=1, estimator=estimator, surrogates=surrogates)
        return metric.estimate(list(first), list(second), generator=source)

    return estimate


def shaped(source: Source) -> Estimate:
    done, seen = sticky(5, 100)(source)
    return Plasticity(surrogates=SURROGATES).estimate(list(done), list(seen), generator=source)


def kept(source: Source) -> Estimate:
    return ActiveInformationStorage(surrogates=0).estimate(list(tied(source)[0]), generator=source)


def nothing(name: str, estimate: Callable[[Source], Estimate], surrogates: int = SURROGATES) -> Case:
    """A null that is true, or withheld."""
    return alarms(name, estimate, surrogates=surrogates, at_most=True)


CASES = (
    *(nothing(f"policy complexity, sticky, {n} x {steps}", acted(sticky(n, steps))) for n, steps in SHAPES),
    *(nothing(f"transfer entropy, sticky, {n} x {steps}", transferred(sticky(n, steps))) for n, steps in SHAPES[:3]),
    nothing("plasticity, sticky, 5 x 100", shaped),
    nothing("policy complexity, a common clock, 3 x 120", acted(clock)),
    nothing("policy complexity, by heart, 7 x 60", acted(heart)),
    nothing("policy complexity, sticky, chi-square", acted(sticky(10, 50), 0), 0),
    nothing("policy complexity, 20 names, chi-square", acted(many, 0), 0),
    covers("storage, white, rounded and clipped", kept, 0.0),
)
