"""Many measurements of one subject: each metric over its seeds, all judged together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, log
from typing import final

import numpy as np
from scipy.special import gammaincc

from agentic.metrics.measurement import Interval, Measurement
from agentic.metrics.summary import mean_interval


@final
@dataclass(frozen=True)
class Row:
    """One metric of one subject: a measurement for each seed, and the seconds they took."""

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
    def enough(self) -> bool:
        """Whether every seed's sample is large enough to judge by."""
        return all(each.enough for each in self.found)

    @property
    def independent(self) -> Sequence[Measurement]:
        """Those that tell something new: seeds that agree to the last bit saw the same, as where nothing is random."""
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
        """Of all seeds together: -2 sum ln p is chi-square with 2 n degrees of freedom under the null (Fisher 1925).

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
        """Whether it has a null that is not exactly known."""
        return self.p_value is not None and any(
            each.null and (each.null.sd > 0 or each.null.n > 1) for each in self.found
        )

    @property
    def references(self) -> Mapping[str, float]:
        """What others score, the mean over seeds."""
        names = dict.fromkeys(name for each in self.found for name in each.references)
        scores = {name: [each.references[name] for each in self.found if name in each.references] for name in names}
        return {name: float(np.mean(values)) for name, values in scores.items()}
