"""Variables as they were recorded, episode by episode: the arrays that every estimator starts from.

Names (whole numbers, truth values) and numbers (floats) are kept apart: a distance between names means nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Record, UserError


@final
@dataclass(frozen=True)
class Series:
    """One variable: an array (t, d) per episode. `discrete` values are names, int64; others are float64."""

    episodes: tuple[NDArray[np.generic], ...]
    discrete: bool

    @classmethod
    def of(cls, values: "Series | ArrayLike | Sequence[ArrayLike]") -> Self:
        """From one array (t,) or (t, d), or a list of such arrays, one per episode; whole numbers are names.

        Raises UserError for anything that is not numbers, and for values that are not finite.
        """
        if isinstance(values, cls):
            return values
        several = isinstance(values, list | tuple) and len(values) > 0 and np.ndim(values[0]) > 0
        parts = [np.asarray(part) for part in (values if several else [values])]  # type: ignore[union-attr]
        kinds = {part.dtype.kind for part in parts}
        if not kinds <= set("biuf"):
            raise UserError("a series holds numbers: whole ones are names, others are measured; got something else")
        discrete = not kinds & {"f"}
        shaped = tuple(
            part.reshape(len(part), -1).astype(np.int64 if discrete else np.float64) for part in parts if part.ndim
        )
        if not all(np.isfinite(part).all() for part in shaped):
            raise UserError("a series must be finite, got NaN or infinity: leave those steps or episodes out")
        return cls(shaped, discrete)

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(len(part) for part in self.episodes)

    def joined(self) -> NDArray[np.generic]:
        """All episodes one after the other, (n, d)."""
        return np.concatenate(self.episodes)


def codes(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """Each distinct row of values (n, d) as a number from 0, without gaps, (n,)."""
    code = np.zeros(len(values), np.int64)
    for column in values.T:
        code = pairs(code, _ranks(column))
    return code


def pairs(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each distinct pair of two codes (n,) as a number from 0, without gaps, (n,)."""
    return _ranks(a * (int(b.max(initial=0)) + 1) + b)


def _ranks(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """The rank of each value among the distinct ones; whole numbers in a narrow range need no sorting."""
    if values.dtype.kind == "i" and len(values):
        low = int(values.min())
        span = int(values.max()) - low + 1
        if span <= 4 * len(values) + 64:
            offset = np.asarray(values, np.int64) - low
            seen = np.zeros(span, np.int64)
            seen[offset] = 1
            return np.asarray(np.cumsum(seen)[offset] - 1, np.int64)
    return np.asarray(np.unique(values, return_inverse=True)[1], np.int64)


def recorded(record: Record, column: str, phase: str = "evaluate") -> Series:
    """A column of a record, such as obs, action, reward or belief.mean; several joined by "+", such as obs+reward.

    A column named without its leaves ("obs" of a dictionary) takes all of them. Raises UserError where the record has
    no step of the phase, or no such column.
    """
    episodes = [episode for episode in record.episodes() if episode.phase == phase]
    if not episodes:
        raise UserError(f"the record has no step of the phase {phase!r}: run it longer")
    known = episodes[0].arrays
    names = [leaf for name in column.split("+") for leaf in _leaves(name.strip(), known)]
    series = [Series.of([episode.arrays[name] for episode in episodes]) for name in names]
    if len(series) == 1:
        return series[0]
    discrete = all(part.discrete for part in series)
    rows = zip(*(part.episodes for part in series), strict=True)
    return Series.of([np.concatenate(row, axis=1).astype(np.int64 if discrete else np.float64) for row in rows])


def _leaves(name: str, known: Iterable[str]) -> list[str]:
    names = list(known)
    found = [name] if name in names else [each for each in names if each.startswith(f"{name}.")]
    if not found:
        raise UserError(f"the record has no column {name!r}; it has {', '.join(names)}")
    return found
