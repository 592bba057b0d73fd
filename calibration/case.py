"""One statement that can be checked by trying: a rate that is claimed, and a trial that hits or misses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import final

import numpy as np
from scipy.stats import binomtest

from agentic_metrics import Estimate

LEVEL = 0.05  # of every verdict: a p-value below it lies outside the null
COVERAGE = 0.95
SEEDS = range(400)
SURROGATES = 20  # of which none may reach the value for a verdict of "outside"

Source = np.random.Generator


@final
@dataclass(frozen=True)
class Case:
    """`trial(seed)` hits with the probability `nominal`, or `at_most` with that: so it is `stated`."""

    name: str
    stated: str
    nominal: float
    trial: Callable[[int], bool]
    at_most: bool = False

    def hits(self, seeds: Iterable[int]) -> int:
        return sum(self.trial(seed) for seed in seeds)

    def p_value(self, hits: int) -> float:
        """The exact binomial test of what is stated, given the hits of all `SEEDS`."""
        side = "greater" if self.at_most else "two-sided"
        return float(binomtest(hits, len(SEEDS), self.nominal, alternative=side).pvalue)


def covers(name: str, estimate: Callable[[Source], Estimate], truth: float) -> Case:
    """The 95 % interval of `estimate` holds the truth."""

    def trial(seed: int) -> bool:
        interval = estimate(np.random.default_rng(seed)).interval
        assert interval is not None
        assert interval.level == COVERAGE
        return bool(interval.low <= truth <= interval.high)

    return Case(name, "95 % interval covers", COVERAGE, trial)


def alarms(name: str, estimate: Callable[[Source], Estimate], *, surrogates: int = 0, at_most: bool = False) -> Case:
    """The null of `estimate`, which is true, is rejected: p < 5 %.

    Of `surrogates` draws, p = (1 + how many reach the value) / (1 + surrogates) is below that somewhat less often than
    in 5 %; 0 for nulls by theory. `at_most` is for nulls that are bounds, or tied, and may alarm less.
    """
    nominal = (ceil(LEVEL * (surrogates + 1)) - 1) / (surrogates + 1) if surrogates else LEVEL

    def trial(seed: int) -> bool:
        null = estimate(np.random.default_rng(seed)).null
        assert null is not None
        return bool(null.p_value < LEVEL)

    return Case(name, "true null alarms" + (" at most" if at_most else ""), nominal, trial, at_most)
