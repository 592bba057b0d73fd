"""Couplings by choosing who is heard one at a time, for any score of what one adds to another."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentic_discovery.checks import Traces
from agentic_discovery.couplings import Couplings, candidates

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


class Scores(ABC):
    """What columns add to the prediction of others, in nats, from their values now and in the steps before.

    Columns are named by their places in (x_t, x_{t-1}, ..., x_{t-lag}), as in `Moments`. A place that adds no more than
    `hopeless` in one round is not tried in the next.
    """

    hopeless: float = -np.inf

    @abstractmethod
    def gain(self, target: int, place: int, given: Sequence[int]) -> float:
        """What a place tells about a target beside those `given`, in nats over all steps, less what it costs."""


def greedy_couplings(
    scores: Scores, columns: int, lag: int, ranks: Ints, progress: Callable[[int, int], None] | None = None
) -> Couplings:
    """Couplings in nats: entry [j, i] is what the score of i's next value loses without column j.

    For each target those of its own past that add something come first. Then the place that adds most is taken in, as
    long as it adds more than the logarithm of how many there were to choose from; in the end those go again that add
    less beside all others.
    """
    nats, kept = np.zeros((columns, columns)), []
    for target in range(columns):
        every = candidates(columns, lag, target, ranks)
        own = [int(place) for place in every if place % columns == target]
        others = [int(place) for place in every if place % columns != target]
        known = _taken(scores, target, own, [], 0.0)
        price = float(np.log(max(len(others), 1)))
        heard = _needed(scores, target, _taken(scores, target, others, known, price), known, price)
        for source in {place % columns for place in heard}:
            given = known + [place for place in heard if place % columns != source]
            for place in heard:
                if place % columns == source:
                    nats[source, target] += scores.gain(target, place, given)
                    given = [*given, place]
        kept.append(np.array(known + heard, np.intp))
        if progress is not None:
            progress(target + 1, columns)
    return Couplings(np.maximum(nats, 0.0), tuple(kept))


def _taken(scores: Scores, target: int, tried: list[int], given: list[int], price: float) -> list[int]:
    """The places that are taken in, one after the other, that which adds most first."""
    left, taken = list(tried), list[int]()
    while left:
        gains = [scores.gain(target, place, given + taken) for place in left]
        best = int(np.argmax(gains))
        if gains[best] <= price:
            break
        taken.append(left[best])
        left = [place for place, gain in zip(left, gains, strict=True) if gain > scores.hopeless and place != taken[-1]]
    return taken


def _needed(scores: Scores, target: int, taken: list[int], given: list[int], price: float) -> list[int]:
    """Those that still add more than their price beside all others; that which adds least goes first."""
    heard = list(taken)
    while heard:
        gains = [scores.gain(target, place, given + [one for one in heard if one != place]) for place in heard]
        least = int(np.argmin(gains))
        if gains[least] > price:
            break
        heard.pop(least)
    return heard


def greedy_traces(longer: Scores, coupled: Couplings, lag: int, ranks: Ints) -> Traces:
    """The traces of something missed (`agentic_discovery.checks`), beside who is heard; `longer` knows a step more."""
    p = len(ranks)
    within, before = np.zeros((p, p)), np.zeros((p, p))
    for target, kept in enumerate(coupled.kept):
        given = kept.tolist()
        for other in range(p):
            gain = longer.gain(target, other + p * (lag + 1), given)
            before[other, target] = gain - np.log(max(p * p, 1))
            if other > target and ranks[other] == ranks[target]:
                gain = longer.gain(target, other, given) - np.log(max(p * (p - 1) / 2, 1))
                within[other, target] = within[target, other] = gain
    return Traces(np.maximum(within, 0.0), np.maximum(before, 0.0))
