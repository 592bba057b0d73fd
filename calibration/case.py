"""One statement that can be checked by trying: a rate that is claimed, and a trial that hits or misses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import Literal, final

import numpy as np
from scipy.stats import binomtest

from agentic import Measurement
from agentic_metrics import Estimate

LEVEL = 0.05  # of every verdict: a p-value below it lies outside the null
COVERAGE = 0.95
LOOKS = (100, 200, 300, 400)  # seeds after which a case that is decided is not tried any further
TOLERANCE = 0.05  # of a rate: off by so much, it is wrong
SURE = 0.01  # level at which such rates are excluded for a case that is right
BEYOND = 1e-6  # p-value below which a case is wrong, however many seeds would follow
SURROGATES = 20  # of which none may reach the value for a verdict of "outside"

Source = np.random.Generator
Side = Literal["exactly", "at most", "at least"]


@final
@dataclass(frozen=True)
class Case:
    """`trial(seed)` hits with the probability `nominal`, or on one `side` of that: so it is `stated`."""

    name: str
    stated: str
    nominal: float
    trial: Callable[[int], bool]
    side: Side = "exactly"

    def hits(self, seeds: Iterable[int]) -> int:
        return sum(self.trial(seed) for seed in seeds)

    def p_value(self, hits: int, tried: int) -> float:
        """The exact binomial test of what is stated, given the hits of so many seeds."""
        beyond = {"exactly": "two-sided", "at most": "greater", "at least": "less"}[self.side]
        return float(binomtest(hits, tried, self.nominal, alternative=beyond).pvalue)

    def decided(self, hits: int, tried: int) -> bool:
        """Whether no more seeds need be tried: a rate that is off by `TOLERANCE` is excluded, or the one stated is.

        Hardly one is stopped because it is wrong: stopping makes no test reject what it would not reject in the end.
        """
        off = {"less": self.nominal + TOLERANCE, "greater": self.nominal - TOLERANCE}  # a rate, by the tail of hits
        off.pop({"exactly": "", "at most": "greater", "at least": "less"}[self.side], None)
        possible = [
            binomtest(hits, tried, rate, alternative=tail).pvalue > SURE for tail, rate in off.items() if 0 < rate < 1
        ]
        return self.p_value(hits, tried) < BEYOND or not any(possible)


def covers(
    name: str,
    estimate: Callable[[Source], Estimate | Measurement],
    truth: float,
    *,
    side: Side = "exactly",
    rate: float = COVERAGE,
) -> Case:
    """The 95 % interval of `estimate` holds the truth, with another `rate` where less is promised."""

    def trial(seed: int) -> bool:
        interval = estimate(np.random.default_rng(seed)).interval
        assert interval is not None
        assert interval.level == COVERAGE
        return bool(interval.low <= truth <= interval.high)

    return Case(name, "95 % interval covers" + _said(side), rate, trial, side)


def alarms(
    name: str, estimate: Callable[[Source], Estimate | Measurement], *, surrogates: int = 0, at_most: bool = False
) -> Case:
    """The null of `estimate`, which is true, is rejected: p < 5 %.

    Of `surrogates` draws, p = (1 + how many reach the value) / (1 + surrogates) is below that somewhat less often than
    in 5 %; 0 for nulls by theory. `at_most` is for nulls that are bounds, or tied, or may be withheld, and alarm less.
    """
    nominal = (ceil(LEVEL * (surrogates + 1)) - 1) / (surrogates + 1) if surrogates else LEVEL

    def trial(seed: int) -> bool:
        null = estimate(np.random.default_rng(seed)).null
        return null is not None and bool(null.p_value < LEVEL)

    side: Side = "at most" if at_most else "exactly"
    return Case(name, "true null alarms" + _said(side), nominal, trial, side)


def _said(side: Side) -> str:
    return "" if side == "exactly" else f" {side}"
