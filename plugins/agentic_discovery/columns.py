"""Recordings as columns of numbers, one row for each step, and what comes first within a step."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from agentic import UserError
from agentic.errors import said, shown

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


@final
@dataclass(frozen=True)
class Columns:
    """A recording: named columns of numbers (steps, columns), one episode after another.

    `episodes` are their lengths. `order` says which columns come first within a step, where the recording itself says
    it, and `source` where it comes from. Raises UserError where that does not fit together, or is not finite.
    """

    names: tuple[str, ...]
    values: Floats
    episodes: tuple[int, ...]
    order: str | None = None
    source: str = "arrays"

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise UserError(f"a recording is (steps, columns), got an array of shape {self.values.shape}")
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise UserError(f"the recording has two columns named {twice!r}: give each a name of its own")
        if sum(self.episodes) != len(self.values):
            raise UserError(
                f"episodes of {sum(self.episodes)} steps in all do not fit a recording of {len(self.values)}: give the "
                "column of episodes a number for each step"
            )
        wrong = ~np.isfinite(self.values)
        if wrong.any():
            step, column = np.argwhere(wrong)[0]
            raise UserError(
                f"the column {self.names[column]!r} is {self.values[step, column]} at step {step}, expected finite "
                "numbers: leave out the column or those steps"
            )

    @classmethod
    def of(
        cls,
        given: Mapping[str, Any] | NDArray[Any],
        *,
        lengths: Sequence[int] = (),
        source: str = "arrays",
        order: str | None = None,
    ) -> Self:
        """Columns of arrays by name, each (steps, *shape), or of one array (steps, columns).

        An array with a shape becomes a column for each of its numbers, as `obs[0]`. Raises UserError for anything else.
        """
        named = dict(given) if isinstance(given, Mapping) else {"x": np.asarray(given)}
        if not named:
            raise UserError("the recording has no columns: give at least four")
        parts, names = [], []
        for name, part in named.items():
            array = _numbers(str(name), part)
            names += spread(str(name), array.shape[1:])
            parts.append(array.reshape(len(array), int(np.prod(array.shape[1:]))))
        if not names:
            raise UserError("the recording has no columns: give at least four")
        if len({len(part) for part in parts}) > 1:
            sizes = ", ".join(f"{name} {len(part)}" for name, part in zip(named, parts, strict=True))
            raise UserError(f"the columns have different numbers of steps ({sizes}): give each the same")
        values = np.concatenate(parts, axis=1)
        if not len(values):
            raise UserError("the recording has no steps: give some hundreds")
        return cls(tuple(names), values, tuple(lengths) or (len(values),), order, source)

    def only(self, patterns: Sequence[str]) -> "Columns":
        """Those columns that a pattern names, as `obs`, `belief.mean[0]` or `x*`.

        Raises UserError for a pattern that names none.
        """
        for pattern in patterns:
            if not any(named(pattern, name) for name in self.names):
                raise UserError(f"no column is called {pattern!r}; there are {', '.join(self.names)}")
        places = [place for place, name in enumerate(self.names) if any(named(pattern, name) for pattern in patterns)]
        return self.at(places)

    def at(self, places: Sequence[int] | Ints) -> "Columns":
        """The columns at these places."""
        names = tuple(self.names[place] for place in places)
        return Columns(names, self.values[:, list(places)], self.episodes, self.order, self.source)

    def cut(self, first: int, last: int) -> "Columns":
        """The steps from `first` to before `last`, with what is left of each episode."""
        ends = np.cumsum(self.episodes)
        begins = ends - self.episodes
        lengths = np.clip(np.minimum(ends, last) - np.maximum(begins, first), 0, None)
        kept = tuple(int(length) for length in lengths if length)
        return Columns(self.names, self.values[first:last], kept, self.order, self.source)


def spread(name: str, shape: Sequence[int]) -> list[str]:
    """The names of the numbers of a column with a shape: `obs[0]`, `obs[0,1]`, ..."""
    return [f"{name}[{','.join(map(str, place))}]" for place in np.ndindex(*shape)] if len(shape) else [name]


def named(pattern: str, name: str) -> bool:
    """Whether a pattern names a column: by its whole name, what comes before a bracket or a dot, or with * and ?."""
    words = re.sub(r"\[", "[[]", pattern)  # brackets belong to names here
    return name == pattern or name.startswith((f"{pattern}[", f"{pattern}.")) or fnmatchcase(name, words)


def ranks(names: Sequence[str], order: str | None) -> Ints:
    """The place within a step of each column, from an order such as `state<obs<belief<action`.

    What one sign < parts is a list of patterns with commas between them. Without an order all are of one moment. Raises
    UserError where a column is named twice or not at all.
    """
    if order is None:
        return np.zeros(len(names), np.intp)
    if not isinstance(order, str):
        raise UserError(f"an order looks like 'state<obs<belief<action', got {shown(order)}")
    groups = [[word.strip() for word in group.split(",") if word.strip()] for group in order.split("<")]
    if not all(groups):
        raise UserError(f"an order looks like 'state<obs<belief<action', got {shown(order)}")
    found = np.full(len(names), -1, np.intp)
    for rank, group in enumerate(groups):
        for word in group:
            places = [place for place, name in enumerate(names) if named(word, name)]
            if not places:
                raise UserError(f"the order names {word!r}, which is no column; there are {', '.join(names)}")
            if twice := [names[place] for place in places if found[place] not in (-1, rank)]:
                raise UserError(f"the order names the column {twice[0]!r} twice: give each column one place")
            found[places] = rank
    if (found < 0).any():
        left = [name for name, rank in zip(names, found, strict=True) if rank < 0]
        raise UserError(f"the order leaves out {', '.join(left)}: name each column or the part before its bracket")
    return found


def scaled(values: Floats) -> Floats:
    """Columns in units of a power of two near their largest value: the same bits, and squares that are numbers."""
    _, exponents = np.frexp(np.abs(values).max(0, initial=0))
    return np.asarray(np.ldexp(values, -exponents))


def pruned(order: str | None, names: Sequence[str]) -> str | None:
    """An order without the words that name no column; None where fewer than two places are left."""
    if order is None:
        return None
    groups = [
        [word for word in group.split(",") if any(named(word, name) for name in names)] for group in order.split("<")
    ]
    left = [",".join(group) for group in groups if group]
    return "<".join(left) if len(left) > 1 else None


def _numbers(name: str, part: Any) -> Floats:
    if gaps := int(np.ma.getmaskarray(part).sum()) if isinstance(part, np.ma.MaskedArray) else 0:
        raise UserError(f"the column {name!r} has {gaps} masked values: fill them or leave them out")
    try:
        array = np.asarray(part)
    except (ValueError, TypeError) as error:
        raise UserError(f"the column {name!r} is no array of numbers: {said(error)}") from error
    if array.dtype.kind not in "biuf" or array.ndim < 1:
        kind = "no array" if array.ndim < 1 else f"of type {array.dtype}"
        raise UserError(
            f"the column {name!r} is {kind}, expected numbers, one for each step: leave it out or number it"
        )
    return array.astype(np.float64)
