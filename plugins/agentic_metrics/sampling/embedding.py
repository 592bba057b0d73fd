"""From series to samples: which step of which episode each sample is about, and what came before it.

All places are indices into the joined episodes, so that a surrogate is the same arrangement of other indices.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agentic import UserError
from agentic_metrics.sampling.information import Values
from agentic_metrics.sampling.series import Series

Places = NDArray[np.int64]


def steps(lengths: Sequence[int], reach: int) -> tuple[Places, Places]:
    """The places (n,) and the episodes (n,) of the steps with at least `reach` steps before them in their episode.

    No sample that starts at such a step and looks back at most `reach` steps straddles two episodes. Raises
    UserError where no episode is long enough.
    """
    starts = np.cumsum([0, *lengths[:-1]])
    counts = np.maximum(0, np.asarray(lengths, np.int64) - reach)
    if not counts.sum():
        raise UserError(
            f"samples that look {reach} steps back need episodes of at least {reach + 1} steps, the longest has "
            f"{max(lengths, default=0)}: record longer episodes, or shorten the histories"
        )
    episode = np.repeat(np.arange(len(lengths)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return starts[episode] + reach + within, episode


def past(at: Places, *, first: int, depth: int) -> Places:
    """The places (n, depth) of the `depth` steps that end `first` steps before each of `at` (n,), the latest first."""
    return at[:, None] - first - np.arange(depth)


def window(values: Values, places: Places) -> Values:
    """The values (t, d) at places (n, depth), side by side, (n, depth * d)."""
    return np.asarray(values[places].reshape(len(places), places.shape[1] * values.shape[1]))


def check_aligned(**variables: Series) -> None:
    """Check that variables have the same steps.

    Raises UserError where they differ in their number of episodes or in an episode's number of steps.
    """
    lengths = {name: series.lengths for name, series in variables.items()}
    first, expected = next(iter(lengths.items()))
    for name, found in lengths.items():
        if len(found) != len(expected):
            raise UserError(
                f"{first} has {len(expected)} episodes and {name} has {len(found)}: give one array per episode for both"
            )
        differ = [place for place, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1]]
        if differ:
            raise UserError(
                f"{first} and {name} must have the same steps; episode {differ[0]} has {expected[differ[0]]} and "
                f"{found[differ[0]]}: cut them to the steps that both have"
            )
