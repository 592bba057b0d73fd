"""Cautions: the warnings of a metric, each a sentence that carries what the sample has too little of.

Estimates and estimators hand them on as they are, so that whoever finds a sample too small says it once, and the
measurement has both the sentence and `enough`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import final


class Lack(Enum):
    """The kind of insufficiency of a sample."""

    SAMPLE = "sample"  # to judge the value by
    EPISODES = "episodes"  # for the interval, which need not be said of the record again


@final
@dataclass(frozen=True)
class Caution:
    """A warning of a measurement; with `lacks` the sample is too small to judge by, without it is large enough."""

    text: str
    lacks: Lack | None = None


def too_few(text: str) -> Caution:
    """The caution that the sample is too small, in the metric's own words: how much there is, how much it takes."""
    return Caution(text, Lack.SAMPLE)


def few_samples(count: int, least: int, *, detail: str) -> tuple[Caution, ...]:
    """The caution that `count` samples are too few for `detail`, whatever is fitted to them; none from `least` on."""
    text = f"{count} samples are too few for {detail}: record at least {least}"
    return (too_few(text),) if count < least else ()


def few_episodes(
    count: int, least: int, *, detail: str = "", units: str = "episodes", verb: str = "record"
) -> tuple[Caution, ...]:
    """The caution that an interval over `count` episodes is not to be believed; none from `least` of them on."""
    text = f"{count} {units}{detail} are too few for the interval: {verb} at least {least}"
    return (Caution(text, Lack.EPISODES),) if count < least else ()
