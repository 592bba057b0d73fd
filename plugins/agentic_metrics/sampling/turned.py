"""The null of very few episodes, which are exchanged and turned in time, all by the same number of steps.

There are too few ways to exchange them whole. Turned as rings they keep their own dynamics, and turned together also
what they share at the same step, a clock or a sequence played by heart; but only what does not drift is the same
wherever it begins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from math import ceil, factorial
from typing import Self, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from agentic import Null
from agentic_metrics.cautions import Caution
from agentic_metrics.sampling.information import Floats, correlation_time
from agentic_metrics.sampling.series import Series, codes
from agentic_metrics.sampling.units import unit

NAMES = 16  # the most frequent names, those whose memory is looked at
WAYS = 20  # of rearranging, below which nothing can be told from the null at 5 %
SPANS = 4  # of an episode, between which a source that drifts differs
SURE = 0.001  # p-value below which it does
FIRST = 50  # surrogates that are always drawn
CLEAR = 0.05  # p-values from here on are of what lies inside the null
ROUNDING = 1e-12  # values that differ by less are the same


@final
@dataclass(frozen=True)
class Turning:
    """Episodes of so many steps, their `memory` (integrated autocorrelation time, in steps), and whether they drift."""

    lengths: tuple[int, ...]
    memory: float
    drifts: bool

    @classmethod
    def of(cls, source: Series) -> Self:
        """Those of a source; the memory of names is the time in which they agree beyond chance."""
        numbers = _numbers(source)
        return cls(source.lengths, correlation_time(numbers, share=1), _drifts(numbers))

    @property
    def ways(self) -> float:
        """The number of rearrangements that are not much the same: turns by the memory and more, in every order."""
        return factorial(len(self.lengths)) * max(self.lengths) / self.memory

    @property
    def doubts(self) -> tuple[Caution, ...]:
        """Why there is no null: too few rearrangements, or a drift; none where there is one."""
        record = "record more and longer episodes, 8 are always enough"
        episodes = f"{len(self.lengths)} episode{'s' if len(self.lengths) > 1 else ''} of {max(self.lengths)} steps"
        if self.ways < WAYS:
            remember = f"that remember {self.memory:.2g} can be rearranged in {int(self.ways)} ways"
            return (Caution(f"no null: {episodes} {remember}, fewer than {WAYS}: {record}"),)
        if self.drifts:
            return (Caution(f"no null: {episodes} drift from beginning to end, so none can be turned: {record}"),)
        return ()

    def values(
        self, value: Callable[[NDArray[np.int64], int], float], surrogates: int, generator: np.random.Generator
    ) -> Floats:
        """The values (turns, orders) of rearrangements, the first of which leaves all as it is; about `surrogates`.

        Each turn is drawn at most once, and tried with every order of the episodes. They end as those of `sampled` do.
        """
        orders = [np.array(order) for order in permutations(range(len(self.lengths)))]
        turns = 1 + generator.permutation(max(self.lengths) - 1)[: ceil((surrogates + 1) / len(orders)) - 1]
        rows: list[list[float]] = []
        for turn in (0, *turns):
            rows.append([value(order, int(turn)) for order in orders])
            found = np.array(rows)
            if found.size > FIRST and _reached(found) >= CLEAR * (1 + surrogates):
                break
        return found

    def null(self, values: Floats) -> Null:
        """The null of the first of `values`: p is the share of those that exceed the other orders of their turn as far.

        So what all orders have in common, because episodes share it at the same step, is no evidence. If the source
        tells nothing, every rearrangement is as likely to be the highest, and those that hardly differ from none, of
        which long memory makes many, keep p large.
        """
        draws, several = values.ravel()[1:], len(self.lengths) > 1
        kind = f"source {'exchanged and ' if several else ''}turned within episodes"
        spread = float(draws.std(ddof=1)) if len(draws) > 1 else 0.0
        return Null(kind, float(draws.mean()), spread, len(draws), _reached(values) / values.size)


def _reached(values: Floats) -> int:
    """How many values exceed the mean of their turn, where it has several, as far as the first, itself included."""
    excess = values - values.mean(axis=1, keepdims=True) if values.shape[1] > 1 else values
    return int((excess >= excess[0, 0] - ROUNDING).sum())


def _drifts(episodes: list[Floats]) -> bool:
    """Whether a column differs between the first, second, third and last part of episodes beyond chance."""
    columns = np.concatenate(episodes)
    span = np.concatenate([np.arange(len(each)) * SPANS // len(each) for each in episodes])
    means = np.array([columns[span == part].mean(axis=0) for part in np.unique(span)])
    steps = np.bincount(span)[np.unique(span)]
    rest = columns - means[np.unique(span, return_inverse=True)[1]]
    memory = correlation_time(np.split(rest, np.cumsum([len(each) for each in episodes])[:-1]), share=1)
    between = steps @ (means - columns.mean(axis=0)) ** 2
    return bool((between > chi2.isf(SURE, SPANS - 1) * memory * rest.var(axis=0) + ROUNDING).any())


def _numbers(source: Series) -> list[Floats]:
    """Columns of unit variance; names as one column for each of the most frequent, 1 where it is taken."""
    values = source.joined()
    if source.discrete:
        code = codes(values)
        frequent = np.argsort(-np.bincount(code), kind="stable")[:NAMES]
        columns = (code[:, None] == frequent).astype(np.float64)
    else:
        columns = unit(np.asarray(values, np.float64))
        columns = columns / np.where(columns.std(axis=0) > 0, columns.std(axis=0), 1.0)
    return np.split(columns, np.cumsum(source.lengths)[:-1])
