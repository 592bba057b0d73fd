"""From rows to statements: means over seeds with intervals, and differences between two ways on the same seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from scipy.stats import t as student

from .runs import Row

Verdict = Literal["lower", "higher", "not told apart"]


@final
@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        """From one value per seed, at least two."""
        mean = float(np.mean(values))
        reach = float(student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
        return cls(mean, mean - reach, mean + reach)

    @property
    def verdict(self) -> Verdict:
        """Of a difference: whether its interval leaves out zero, and on which side it lies."""
        if self.high < 0:
            return "lower"
        return "higher" if self.low > 0 else "not told apart"


@final
@dataclass(frozen=True)
class Rows:
    """All that was measured for one question."""

    rows: Sequence[Row]

    @property
    def sizes(self) -> list[int]:
        """Numbers of data, ascending."""
        return sorted({row["size"] for row in self.rows})

    @property
    def variants(self) -> list[str]:
        """In the order in which they were run."""
        return list(dict.fromkeys(row["variant"] for row in self.rows))

    def values(self, variant: str, measure: str, size: int) -> list[float]:
        """One value for each seed, in the order of seeds; empty where the measure does not apply."""
        found = [row for row in self.rows if (row["variant"], row["size"]) == (variant, size) and measure in row]
        return [row[measure] for row in sorted(found, key=lambda row: row["seed"])]

    def estimate(self, variant: str, measure: str, size: int) -> Estimate | None:
        """The mean over seeds, or None where the measure does not apply."""
        values = self.values(variant, measure, size)
        return Estimate.of(values) if values else None

    def difference(self, one: str, other: str, measure: str, size: int) -> Estimate:
        """`one` minus `other` on the same seeds."""
        pairs = zip(self.values(one, measure, size), self.values(other, measure, size), strict=True)
        return Estimate.of([a - b for a, b in pairs])

    def weights(self, variant: str) -> int:
        """Number of weights."""
        return int(next(row["weights"] for row in self.rows if row["variant"] == variant))

    def leaders(self, measure: str, *, highest: bool) -> str:
        """A sentence: for every number of data the best mean, and whose difference from it may be zero."""
        sign, parts = -1 if highest else 1, []
        for size in self.sizes:
            means = {name: found.mean for name in self.variants if (found := self.estimate(name, measure, size))}
            best = min(means, key=lambda name: sign * means[name])
            near = [
                name
                for name in means
                if name != best and self.difference(name, best, measure, size).verdict == "not told apart"
            ]
            beside = f", not told apart from {_listed(near)}" if near else ""
            parts.append(f"with {size:,} **{best}** ({means[best]:.3g}{beside})")
        return "; ".join(parts) + "."

    def compared(self, one: str, other: str, measure: str) -> str:
        """A sentence: for which numbers of data the measure of `one` is lower or higher than that of `other`."""
        found = dict[Verdict, list[str]]()
        for size in self.sizes:
            gap = self.difference(one, other, measure, size)
            found.setdefault(gap.verdict, []).append(f"{size:,} ({_signed(gap)})")
        message = "; ".join(f"*{verdict}* with {_listed(sizes)}" for verdict, sizes in found.items())
        return f"**{one}** against {other}: {message}."


def _signed(gap: Estimate) -> str:
    return f"{gap.mean:+.2g} [{gap.low:.2g}, {gap.high:.2g}]".replace("-", "−")


def _listed(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
