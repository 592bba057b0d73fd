"""Counting the hits of every case until it is decided, in as many processes as are allowed, and judging them all."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing import get_context
from typing import Any, final

from agentic.metrics import holm
from calibration.case import LOOKS, Case

TOPICS = ("transfer", "storage", "flow", "goals", "lives", "returns", "memory", "boundary")
CHUNKS = 4  # in which the seeds of a look are divided among processes


@final
@dataclass(frozen=True)
class Tally:
    """Hits of a case among the seeds `tried`, and its p-value `adjusted` for the number of cases tried together."""

    topic: str
    case: Case
    hits: int
    tried: int
    adjusted: float = 1.0

    @property
    def rate(self) -> float:
        return self.hits / self.tried

    @property
    def p_value(self) -> float:
        return self.case.p_value(self.hits, self.tried)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "topic": self.topic,
            "case": self.case.name,
            "stated": self.case.stated,
            "nominal": self.case.nominal,
            "seeds": self.tried,
            "hits": self.hits,
            "rate": self.rate,
            "p_value": self.p_value,
            "adjusted": self.adjusted,
        }


def cases(topic: str) -> tuple[Case, ...]:
    """Those of the module named like the topic."""
    found: tuple[Case, ...] = import_module(f"calibration.{topic}").CASES
    return found


def tallies(topics: Sequence[str], workers: int = 1, *, first: int = 0) -> Iterator[Tally]:
    """Each case's hits, as they are known, of seeds from `first` on; not yet judged."""
    tasks = [(topic, i) for topic in topics for i in range(len(cases(topic)))]
    if workers == 1:
        yield from (_tried(topic, i, first, _count) for topic, i in tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:

        def count(topic: str, index: int, seeds: range) -> int:
            parts = [seeds[part::CHUNKS] for part in range(CHUNKS)]
            return sum(pool.map(_count, [topic] * CHUNKS, [index] * CHUNKS, parts))

        yield from (_tried(topic, i, first, count) for topic, i in tasks)


def _tried(topic: str, index: int, first: int, count: Callable[[str, int, range], int]) -> Tally:
    """The hits of one case, counted look by look until it is decided."""
    case, hits, tried = cases(topic)[index], 0, 0
    for look in LOOKS:
        hits += count(topic, index, range(first + tried, first + look))
        tried = look
        if case.decided(hits, tried):
            break
    return Tally(topic, case, hits, tried)


def judged(found: Sequence[Tally]) -> list[Tally]:
    """With p-values adjusted for their number (Holm 1979)."""
    adjusted = holm([each.p_value for each in found])
    return [replace(each, adjusted=p_value) for each, p_value in zip(found, adjusted, strict=True)]


def _count(topic: str, index: int, seeds: range) -> int:
    return cases(topic)[index].hits(seeds)
