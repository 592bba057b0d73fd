"""Repeated measurements as values, and how they are taken: side by side, so that a slow moment hits all alike."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, final


@final
@dataclass(frozen=True)
class Sample:
    """One number for each repeat, in the order they were taken."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def over(self, other: "Sample") -> "Sample":
        """Ratios to what was measured in the same repeat."""
        return Sample(tuple(a / b for a, b in zip(self.values, other.values, strict=True)))

    def plain(self) -> dict[str, float]:
        """For JSON."""
        return {"median": self.median, "low": self.low, "high": self.high}


def side_by_side(tasks: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, Sample]:
    """Each task's number `repeats` times, in the order A B C A B C, after one round that is thrown away."""
    rounds = [{name: task() for name, task in tasks.items()} for _ in range(repeats + 1)][1:]
    return {name: Sample(tuple(each[name] for each in rounds)) for name in tasks}


def seconds(work: Callable[..., object], *arguments: Any) -> float:
    """How long one call takes; what was there before it, garbage or not, is kept out of the collector's way."""
    gc.collect()
    gc.freeze()
    try:
        begin = perf_counter()
        work(*arguments)
        return perf_counter() - begin
    finally:
        gc.unfreeze()
