"""Null distributions of estimates: what they give with the source of one episode beside the target of another.

Whole episodes are exchanged, so that both sides keep their own dynamics and what all episodes share at their step t
stays in the null; shuffled steps would lose the source's memory, and with it most of the spread that chance has. Fewer
than `EXCHANGED` episodes are turned in time as well (`turned`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial
from typing import final

import numpy as np
from numpy.typing import NDArray

from agentic import Null, UserError
from agentic_metrics.sampling.embedding import Places
from agentic_metrics.sampling.information import Information
from agentic_metrics.sampling.series import Series
from agentic_metrics.sampling.theory import chi_square
from agentic_metrics.sampling.turned import CLEAR, FIRST, ROUNDING, Turning

EPISODES = 8  # that are exchanged with one another, at least: among so many there are always ways enough
EXCHANGED = 4  # episodes below which there are too few ways to exchange them


@final
@dataclass(frozen=True)
class Exchange:
    """The law of another episode in the place of each, for episodes of so many steps.

    Episodes are exchanged among those of about their length (at least `EPISODES` of them).
    """

    lengths: tuple[int, ...]

    @property
    def ways(self) -> int | None:
        """The number of exchanges that leave not all as it is; None where they are too many to be counted."""
        return None if len(self.lengths) > EPISODES else factorial(len(self.lengths)) - 1

    def draws(self, generator: np.random.Generator, surrogates: int) -> Iterator[Places]:
        """The episodes (count,) that take the place of each: every exchange once where `surrogates` are enough for it.

        Otherwise ever new random ones; in longer lists of episodes the longest rest joins the last group.
        """
        order = np.argsort(self.lengths, kind="stable")
        if self.ways is not None and self.ways <= surrogates:
            yield from generator.permutation(list(permutations(range(len(order))))[1:])
            return
        same = self.lengths[order[0]] == self.lengths[order[-1]]
        groups = [order] if same else np.array_split(order, max(1, len(order) // EPISODES))
        while True:
            other = np.empty(len(order), np.int64)
            for group in groups:
                other[group] = generator.permutation(group)
            yield other


def placed(lengths: Sequence[int], other: Places, turn: int = 0) -> Places:
    """The step that takes the place of each, (steps,) in joined episodes: that of the episode `other` (count,) of its.

    Step t takes the place of step t, or with a `turn` step t + turn, each episode being a ring. Steps that the shorter
    of the two does not have are -1 and their samples are left out.
    """
    sizes = np.asarray(lengths, np.int64)
    starts, episode = np.cumsum(sizes) - sizes, np.repeat(np.arange(len(sizes)), sizes)
    step, size = np.arange(sizes.sum()) - starts[episode], sizes[other][episode]
    return np.where(step < size, starts[other][episode] + (step + turn) % size, -1)


def null(
    information: Information,
    source: Series,
    episode: Places,
    again: Callable[[Places], Information],
    *,
    surrogates: int,
    generator: np.random.Generator,
) -> tuple[Information, Null | None]:
    """The null of an estimate that `again` repeats with each step of the source replaced by the step at a place.

    Without surrogates, the chi-square law of the estimate; `episode` (n,) is that of each sample. Where there is no
    null to be had, a caution of the information says why.
    """
    if not surrogates:
        return chi_square(information, episode)
    lengths = source.lengths

    def value(other: Places, turn: int = 0) -> float:
        with suppress(UserError):  # what is left of short episodes may be too little: as good as reaching the value
            return again(placed(lengths, other, turn)).value
        return information.value

    if len(lengths) >= EXCHANGED:
        exchange = Exchange(lengths)
        draws = map(value, exchange.draws(generator, surrogates))
        count = min(surrogates, exchange.ways or surrogates)
        return information, sampled(information.value, lambda: next(draws), count, "source of other episodes")
    turning = Turning.of(source)
    if turning.doubts:
        return replace(information, cautions=(*information.cautions, *turning.doubts)), None
    return information, turning.null(turning.values(value, surrogates, generator))


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
