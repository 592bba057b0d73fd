"""Null distributions of estimates: what they give with the source of one episode beside the target of another.

Whole episodes are exchanged, or each is turned round in time, so that both sides keep their own dynamics; shuffled
steps would lose the source's memory, and with it most of the spread that chance has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, factorial
from typing import Self, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from agentic import Null
from agentic_metrics.sampling.embedding import Places
from agentic_metrics.sampling.information import Information, correlation_time
from agentic_metrics.sampling.series import Series, codes
from agentic_metrics.sampling.units import unit

EPISODES = 8  # below it there are few ways to exchange episodes
NAMES = 16  # the most frequent names, those whose memory is looked at
WAYS = 20  # of rearranging, below which nothing can be told from the null at 5 %
FIRST = 50  # surrogates that are always drawn
CLEAR = 0.05  # p-values from here on are of what lies inside the null
ROUNDING = 1e-12  # values that differ by less are the same


@final
@dataclass(frozen=True)
class Rearrangement:
    """The law of a random new place for every step of a source, (steps,) in its joined episodes; -1 for no place.

    With `shift` 0, whole episodes are exchanged, step t of one for step t of another, so that what all episodes share
    at their step t stays in the null. Episodes are exchanged among those of about their length (at least `EPISODES`
    of them); steps that the shorter of two does not have are -1 and their samples are left out. With a positive
    `shift`, each episode is turned round by at least that many steps either way (a third of it where it is short).
    """

    lengths: tuple[int, ...]
    shift: int

    @classmethod
    def of(cls, source: Series) -> Self:
        """The rearrangement of a source: episodes exchanged where there are enough, else turned beyond its memory.

        That is twice its integrated autocorrelation time; for names, the time in which they agree beyond chance.
        """
        if len(source.lengths) >= EPISODES:
            return cls(source.lengths, 0)
        return cls(source.lengths, ceil(2 * correlation_time(_numbers(source))))

    @property
    def kind(self) -> str:
        """The words of a null for what was rearranged."""
        return "source turned within episodes" if self.shift else "source of other episodes"

    @property
    def ways(self) -> float:
        """A lower bound of the number of different rearrangements."""
        if not self.shift:
            return float(factorial(min(len(self.lengths), EPISODES)))
        return float(
            np.prod([max(1, length - 2 * min(self.shift, length // 3)) for length in self.lengths], dtype=float)
        )

    def draw(self, generator: np.random.Generator) -> Places:
        """One random rearrangement, (steps,)."""
        lengths = np.asarray(self.lengths, np.int64)
        starts, episode = np.cumsum(lengths) - lengths, np.repeat(np.arange(len(lengths)), lengths)
        step = np.arange(lengths.sum()) - starts[episode]
        if self.shift:
            least = np.minimum(self.shift, lengths // 3)
            turn = generator.integers(least, lengths - least + 1)
            return np.asarray(starts[episode] + (step + turn[episode]) % lengths[episode], np.int64)
        other = self._exchanged(generator)[episode]
        return np.where(step < lengths[other], starts[other] + step, -1)

    def _exchanged(self, generator: np.random.Generator) -> Places:
        """Which episode takes the place of each; the longest rest joins the last group."""
        order = np.argsort(self.lengths, kind="stable")
        same = self.lengths[order[0]] == self.lengths[order[-1]]
        groups = [order] if same else np.array_split(order, max(1, len(order) // EPISODES))
        other = np.empty(len(order), np.int64)
        for group in groups:
            other[group] = generator.permutation(group)
        return other


def null(
    information: Information,
    source: Series,
    again: Callable[[Places], Information],
    *,
    surrogates: int,
    generator: np.random.Generator,
) -> Null | None:
    """The null of an estimate that `again` repeats with each step of the source replaced by the step at a place.

    Without surrogates, the chi-square law of the estimate, None where it has none. None also where the source is so
    short that there are fewer than `WAYS` to rearrange it.
    """
    if not surrogates:
        return chi_square(information)
    rearrangement = Rearrangement.of(source)
    if rearrangement.ways < WAYS:
        return None
    return sampled(
        information.value, lambda: again(rearrangement.draw(generator)).value, surrogates, rearrangement.kind
    )


def sampled(value: float, draw: Callable[[], float], surrogates: int, kind: str) -> Null:
    """The null of `value` from up to `surrogates` calls of `draw`; see `compare`.

    After the first `FIRST`, no more are drawn once so many have reached the value that p cannot come below `CLEAR`:
    it is inside the null whatever the others would be (Besag and Clifford 1991).
    """
    draws: list[float] = []
    reached = 0
    while len(draws) < surrogates and (len(draws) < FIRST or 1 + reached < CLEAR * (1 + surrogates)):
        draws.append(draw())
        reached += draws[-1] >= value - ROUNDING
    return compare(value, draws, kind)


def compare(value: float, draws: Sequence[float] | NDArray[np.float64], kind: str, *, tie: float = ROUNDING) -> Null:
    """The null of `value` from surrogate values `draws`, all of them corrected for bias as it is.

    p = (1 + number of draws >= value) / (1 + n), which is never zero (Phipson and Smyth 2010); draws less than `tie`
    below the value reach it.
    """
    found = np.asarray(draws, np.float64)
    spread = float(found.std(ddof=1)) if len(found) > 1 else 0.0
    reached = int((found >= value - tie).sum())
    return Null(kind, float(found.mean()), spread, len(found), (1 + reached) / (1 + len(found)))


def chi_square(information: Information) -> Null | None:
    """The null of independence by theory, where 2 N I (in nats) is chi-square with `freedom` degrees (Wilks 1938).

    Scaled so that its mean is the bias that was removed (Bartlett 1937). None where the estimator has no such law.
    """
    freedom, bias = information.freedom, information.bias
    if freedom is None:
        return None
    kind = f"chi-square, {freedom} degrees of freedom"
    if freedom == 0:
        return Null(kind, 0.0, 0.0, 1, 1.0)
    scale = bias / freedom
    p_value = float(chi2.sf((information.value + bias) / scale, freedom))
    return Null(kind, 0.0, scale * float(np.sqrt(2 * freedom)), 1, p_value)


def _numbers(source: Series) -> list[NDArray[np.float64]]:
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
