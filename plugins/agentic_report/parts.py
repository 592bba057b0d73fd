"""The parts of observations and actions: which columns of a record are numbers, which are pictures, and their names.

A Dict or Tuple is a column for each leaf, named by its dotted path; everything else is one column without a name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any, final

import numpy as np

from agentic.runs import EpisodeRecord

WIDEST = 24  # numbers of an observation, an action or a belief that are kept
STACKED = 16  # pictures that may lie behind one another in one observation
SMALLEST = 8  # rows and columns of what has two axes and is a picture
COLORS = (1, 3)  # numbers of each place of a picture
DIGITS = 7  # of what was seen and done: as many as a float32 has


@final
@dataclass(frozen=True)
class Part:
    """One leaf: its column, its `name` (empty where it is all there is), its shape, and how many numbers are `kept`."""

    column: str
    name: str
    shape: tuple[int, ...]
    kept: int = 0

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    @property
    def labels(self) -> list[str]:
        """The name of each number that is kept, with its place where there are several."""
        if not self.shape or self.size == 1:
            return [self.name][: self.kept]
        places = (np.unravel_index(i, self.shape) for i in range(self.kept))
        return [f"{self.name}[{', '.join(str(int(i)) for i in place)}]" for place in places]

    @property
    def summary(self) -> list[Any]:
        """Its name, its size and how many numbers are kept, as the page reads them."""
        return [self.name, self.size, self.kept]


def keys(columns: Mapping[str, Any], name: str) -> list[str]:
    """The keys of a Dict's columns; one empty key where there is one column."""
    return [key[len(name) + 1 :] for key in columns if key == name or key.startswith(f"{name}.")]


def parts(episode: EpisodeRecord, name: str, most: int = WIDEST) -> list[Part]:
    """The leaves of numbers of `obs` or `action`; of all of them at most so many numbers are kept."""
    found = [_part(episode, name, key) for key in keys(episode.arrays, name)]
    found = [each for each in found if not is_picture(episode.arrays[each.column])]
    return [Part(p.column, p.name, p.shape, kept) for p, kept in zip(found, _shares(found, most), strict=True)]


def pictured(episode: EpisodeRecord) -> list[Part]:
    """The leaves of the observation that are pictures."""
    found = [_part(episode, "obs", key) for key in keys(episode.arrays, "obs")]
    return [each for each in found if is_picture(episode.arrays[each.column])]


def is_picture(array: np.ndarray) -> bool:
    """Whether what was seen, (t, *shape), is a picture: bytes in rows and columns, of colors or one behind another."""
    shape: tuple[int, ...] = array.shape[1:]
    if array.dtype != np.uint8 or not 2 <= len(shape) <= 4:
        return False
    if len(shape) == 2:
        return min(shape) >= SMALLEST
    return shape[0] <= STACKED and shape[-1] in COLORS if len(shape) == 4 else min(shape[0], shape[-1]) <= STACKED


def values(episode: EpisodeRecord, found: Sequence[Part], last: str | None = None) -> list[list[float | None]]:
    """The kept numbers of each tick, leaf by leaf; with `last` (next_) before their names those after the last tick."""
    columns = [np.empty((episode.length + (last is not None), 0))]
    for part in found:
        column = episode.arrays[part.column]
        if last is not None:
            column = np.concatenate([column, episode.arrays[f"{last}{part.column}"][-1:]])
        columns.append(column.reshape(len(column), -1)[:, : part.kept])
    return [[number(x, DIGITS) for x in row] for row in np.concatenate(columns, 1).tolist()]


def number(value: float, digits: int = 4) -> float | None:
    """So many significant digits, whole numbers whole; None for what is not finite."""
    if not isfinite(value):
        return None
    if float(value).is_integer() and abs(value) < 2**53:
        return int(value)
    short = float(f"{value:.{digits}g}") if abs(value) < 10**digits else float(round(value))
    return int(short) if short.is_integer() and abs(short) < 2**53 else short


def _part(episode: EpisodeRecord, name: str, key: str) -> Part:
    column = f"{name}.{key}" if key or name not in episode.arrays else name  # a key may be the empty text
    return Part(column, key, episode.arrays[column].shape[1:])


def _shares(found: Sequence[Part], most: int) -> list[int]:
    """How many numbers of each leaf are kept: small ones whole, and of the others equally many."""
    shares, left = [0] * len(found), most
    order = sorted(range(len(found)), key=lambda i: found[i].size)
    for rank, i in enumerate(order):
        shares[i] = min(found[i].size, left // (len(order) - rank) or min(left, 1))
        left -= shares[i]
    return shares
