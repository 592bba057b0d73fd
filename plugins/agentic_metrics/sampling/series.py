"""Recorded variables, episode by episode: the arrays that every estimator starts from.

Names (whole numbers, truth values) and numbers (floats) are kept apart: a distance between names means nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from agentic import Access, Record, UserError

INSIDE = ("belief.", "energy.")  # columns of what an agent carries


@final
@dataclass(frozen=True)
class Series:
    """One recorded variable: an array (t, d) per episode. `discrete` values are names, int64; others are float64."""

    episodes: tuple[NDArray[np.generic], ...]
    discrete: bool

    @classmethod
    def of(cls, values: "Variable") -> Self:
        """The series of an array (t,) or (t, d), or of a list of such arrays, one per episode; whole numbers are names.

        Raises UserError for anything that is not numbers, for an empty episode and for values that are not finite.
        """
        if isinstance(values, cls):
            return values
        several = isinstance(values, list | tuple) and len(values) > 0 and np.ndim(values[0]) > 0
        parts = [np.asarray(part) for part in (values if several else [values])]  # type: ignore[union-attr]
        kinds = {part.dtype.kind for part in parts}
        if not kinds <= set("biuf"):
            raise UserError("a series holds numbers: whole ones are names, others are measured; got something else")
        if any(part.ndim and not len(part) for part in parts):
            raise UserError("an episode is empty: leave it out")
        discrete = not kinds & {"f"}
        shaped = tuple(
            part.reshape(len(part), -1).astype(np.int64 if discrete else np.float64) for part in parts if part.ndim
        )
        if not all(np.isfinite(part).all() for part in shaped):
            raise UserError("a series must be finite, got NaN or infinity: leave those steps or episodes out")
        return cls(shaped, discrete)

    @property
    def lengths(self) -> tuple[int, ...]:
        """The number of steps of each episode."""
        return tuple(len(part) for part in self.episodes)

    def joined(self) -> NDArray[np.generic]:
        """The steps of all episodes, one episode after the other, (n, d)."""
        return np.concatenate(self.episodes)


Variable = Series | ArrayLike | Sequence[ArrayLike]


def codes(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """The code of each row of values (n, d), (n,): distinct rows are numbered from 0, without gaps."""
    code = np.zeros(len(values), np.int64)
    for column in values.T:
        code = pairs(code, _ranks(column))
    return code


def pairs(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """The code of each pair of two codes (n,), (n,): distinct pairs are numbered from 0, without gaps."""
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


def recorded(record: Record, column: str) -> Series:
    """The evaluation episodes of a column of a record, such as obs, action, reward or belief.mean.

    Columns joined by "+", such as obs+reward, are one variable; a column named without its leaves ("obs" of a
    dictionary) takes all of them. Raises UserError where the record has no evaluation step, or no such column.
    """
    episodes = record.episodes("evaluate")
    if not episodes:
        raise UserError("the record has no step of the phase 'evaluate': run it longer")
    known = episodes[0].arrays
    names = [leaf for name in column.split("+") for leaf in _leaves(name.strip(), known)]
    series = [_column(name, [episode.arrays[name] for episode in episodes]) for name in names]
    if len(series) == 1:
        return series[0]
    discrete = all(part.discrete for part in series)
    rows = zip(*(part.episodes for part in series), strict=True)
    return Series.of([np.concatenate(row, axis=1).astype(np.int64 if discrete else np.float64) for row in rows])


def _column(name: str, episodes: list[NDArray[Any]]) -> Series:
    try:
        return Series.of(episodes)
    except UserError as error:
        raise UserError(f"column {name}: {error}") from None


def _leaves(name: str, known: Iterable[str]) -> list[str]:
    names = list(known)
    found = [name] if name in names else [each for each in names if each.startswith(f"{name}.")]
    if not found:
        raise UserError(f"the record has no column {name!r}; it has {', '.join(names)}")
    return found


def written(**columns: Sequence[ArrayLike]) -> Record:
    """The record of complete evaluation episodes, each column with one array (t,) per episode; no reward is 0."""
    lengths = [np.size(each) for each in next(iter(columns.values()))]
    t = np.concatenate([np.arange(length) for length in lengths])
    table = {
        "phase": ["evaluate"] * len(t),
        "row": np.zeros(len(t), np.int64),
        "episode": np.repeat(np.arange(len(lengths)), lengths),
        "t": t,
        "reward": np.zeros(len(t)),
        **{name: np.concatenate(episodes) for name, episodes in columns.items()},
        "terminated": np.append(t[1:] == 0, True),
        "truncated": np.zeros(len(t), np.bool_),
    }
    return Record(tables=[pa.table(table)])


def access_to(*columns: str) -> Access:
    """The access that columns need: INTERNALS where one, or a part that "+" joins, is the agent's own, else RECORDS."""
    names = [name.strip() for column in columns for name in column.split("+")]
    return Access.INTERNALS if any(f"{name}.".startswith(INSIDE) for name in names) else Access.RECORDS
