"""Profiles: each metric of one subject over its seeds, all judged together against their nulls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, log
from typing import final

import numpy as np
from scipy.special import gammaincc

from agentic.metrics.measurement import Interval, Measurement, mean_interval
from agentic.metrics.verdict import Verdict, judged


@final
@dataclass(frozen=True)
class Row:
    """The profile of one metric of one subject: a measurement for each seed, and the seconds they took."""

    name: str
    found: Sequence[Measurement]
    seconds: float = 0.0

    @property
    def unit(self) -> str:
        """The unit of the values."""
        return self.found[0].unit

    @property
    def exact(self) -> bool:
        """Whether nothing was estimated."""
        return not any(each.interval or each.samples for each in self.found)

    @property
    def warnings(self) -> list[str]:
        """The warnings of all seeds, each once."""
        return list(dict.fromkeys(warning for each in self.found for warning in each.warnings))

    @property
    def independent(self) -> Sequence[Measurement]:
        """The independent measurements: of seeds that agree to the last bit, as where nothing is random, the first."""
        return list({(each.value, each.episodes, each.samples): each for each in reversed(self.found)}.values())[::-1]

    @property
    def estimate(self) -> tuple[float, Interval | None]:
        """The value and its interval; over several seeds their mean and Student's interval, seeds being independent."""
        if len(self.independent) == 1:
            return self.found[0].value, self.found[0].interval
        mean, interval = mean_interval([each.value for each in self.found])
        return mean, replace(interval, method="Student t over seeds")

    @property
    def p_value(self) -> float | None:
        """The p-value of all seeds together (Fisher 1925): -2 sum ln p is chi-square with 2 n degrees of freedom.

        Of seeds that agree to the last bit only the first counts: their p-values are one, and no evidence more.
        """
        nulls = [each.null for each in self.independent if each.null is not None]
        if len(nulls) < len(self.independent) or any(each.null is None for each in self.found):
            return None
        if len(nulls) == 1:
            return nulls[0].p_value
        surprise = sum(-log(null.p_value) if null.p_value > 0 else inf for null in nulls)
        return float(gammaincc(len(nulls), surprise))

    @property
    def chance(self) -> bool:
        """Whether chance has a part in the null: it is not exactly known."""
        return self.p_value is not None and any(
            each.null and (each.null.sd > 0 or each.null.n > 1) for each in self.found
        )

    @property
    def references(self) -> Mapping[str, float]:
        """The mean score over seeds of each other agent, by name."""
        names = dict.fromkeys(name for each in self.found for name in each.references)
        scores = {name: [each.references[name] for each in self.found if name in each.references] for name in names}
        return {name: float(np.mean(values)) for name, values in scores.items()}


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's p-values: adjusted for their number, so that all verdicts together err at the level of one (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, np.float64)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return [float(p) for p in adjusted]


def verdicts(rows: Sequence[Row]) -> list[Verdict]:
    """The verdict on each value at the 5 % level, p-values adjusted for the number of rows that chance has a part in.

    Where no surrogate reaches the value, but they are too few to say so among so many rows, it is said instead.
    """
    chances = {row.name: row.p_value for row in rows if row.chance}
    adjusted = dict(zip(chances, holm([p for p in chances.values() if p is not None]), strict=True))
    return [judged(row.found, adjusted.get(row.name, row.p_value)) for row in rows]
