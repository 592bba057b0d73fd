"""Verdicts on values against their nulls, from one function, so that no two places judge a value differently."""

from collections.abc import Sequence
from enum import Enum
from math import isclose, isnan
from typing import TYPE_CHECKING, Self

from agentic.errors import UserError, listed, suggest

if TYPE_CHECKING:
    from agentic.metrics.measurement import Measurement

LEVEL = 0.05  # of every verdict


class Verdict(Enum):
    """The verdict on a value against its null; its values are the words that stand in files and tables."""

    OUTSIDE = "outside the null"
    INSIDE = "inside the null"
    TOO_LITTLE_DATA = "too little data"  # the metric says so itself: `Measurement.enough` is False
    TOO_FEW_SURROGATES = "too few surrogates"  # none reaches the value, which says little among so many values
    NO_NULL = "no null"
    UNDEFINED = "undefined"  # there is no value to judge

    @classmethod
    def of(cls, word: str) -> Self:
        """The verdict that a file means by its word. Raises UserError for a word that is none."""
        known = [each.value for each in cls]
        if word not in known:
            raise UserError(f"'{word}' is no verdict{suggest(word, known)}; known: {listed(known)}")
        return cls(word)

    @property
    def inconclusive(self) -> bool:
        """Whether the value has a null, or too little data for one, and is not told from it."""
        return self in (Verdict.INSIDE, Verdict.TOO_LITTLE_DATA, Verdict.TOO_FEW_SURROGATES)


def judged(found: Sequence["Measurement"], p_value: float | None) -> Verdict:
    """The verdict at the 5 % level on what was `found` with each seed, given the p-value of all of it.

    Where no surrogate reaches the value, but they are too few to say so at that level, it is said instead.
    """
    if any(isnan(each.value) for each in found):
        return Verdict.UNDEFINED
    if not all(each.enough for each in found):
        return Verdict.TOO_LITTLE_DATA
    if p_value is None:
        return Verdict.NO_NULL
    if p_value < LEVEL:
        return Verdict.OUTSIDE
    nulls = [each.null for each in found if each.null is not None]
    unreached = all(null.n > 1 and isclose(null.p_value, 1 / (1 + null.n)) for null in nulls)
    return Verdict.TOO_FEW_SURROGATES if unreached else Verdict.INSIDE
