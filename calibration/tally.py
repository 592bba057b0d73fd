"""Counting the hits of every case, in as many processes as are allowed, and judging them all together."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing import get_context
from typing import Any, final

from agentic.metrics import holm
from calibration.case import SEEDS, Case

TOPICS = ("transfer", "storage", "flow", "goals", "lives")
CHUNKS = 4  # in which a case is divided among processes


@final
@dataclass(frozen=True)
class Tally:
    """Hits of a case among all seeds, and its p-value `adjusted` for the number of cases tried together."""

    topic: str
    case: Case
    hits: int
    adjusted: float = 1.0

    @property
    def rate(self) -> float:
        return self.hits / len(SEEDS)

    @property
    def p_value(self) -> float:
        return self.case.p_value(self.hits)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "topic": self.topic,
            "case": self.case.name,
            "stated": self.case.stated,
            "nominal": self.case.nominal,
            "seeds": len(SEEDS),
            "hits": self.hits,
            "rate": self.rate,
            "p_value": self.p_value,
            "adjusted": self.adjusted,
        }


def cases(topic: str) -> tuple[Case, ...]:
    """Those of the module named like the topic."""
    found: tuple[Case, ...] = import_module(f"calibration.{topic}").CASES
    return found


def tallies(topics: Sequence[str], workers: int = 1) -> Iterator[Tally]:
    """Each case's hits, as they are known; not yet judged."""
    if workers == 1:
        for topic in topics:
            yield from (Tally(topic, case, case.hits(SEEDS)) for case in cases(topic))
        return
    tasks = [(topic, i) for topic in topics for i in range(len(cases(topic)))]
    chunks = [(topic, i, part) for topic, i in tasks for part in range(CHUNKS)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        counts = pool.map(_count, *zip(*chunks, strict=True))
        for topic, i in tasks:
            yield Tally(topic, cases(topic)[i], sum(next(counts) for _ in range(CHUNKS)))


def judged(found: Sequence[Tally]) -> list[Tally]:
    """With p-values adjusted for their number (Holm 1979)."""
    adjusted = holm([each.p_value for each in found])
    return [replace(each, adjusted=p_value) for each, p_value in zip(found, adjusted, strict=True)]


def _count(topic: str, index: int, part: int) -> int:
    return cases(topic)[index].hits(SEEDS[part::CHUNKS])
