"""A number with what judges it: what the plain functions return, before a metric puts it in its frame."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, final

from agentic import Frame, Interval, Measurement, Metric, Null
from agentic_metrics.cautions import Caution, Lack, few_episodes

EXACT = 1e-9  # below this an exact value is zero
FEW = 10  # episodes below which an interval from their spread is not to be believed
LONG = 100  # samples from which a single episode is cut into blocks


@final
@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value, its interval and null, and how it was found; `float(estimate)` is the value.

    `interval` is None and `samples` 0 where the value is exact; `null` is None where there is nothing to compare with.
    """

    value: float
    estimator: str
    interval: Interval | None = None
    null: Null | None = None
    episodes: int = 0
    samples: int = 0
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    cautions: tuple[Caution, ...] = ()

    def __float__(self) -> float:
        return self.value

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(each.text for each in self.cautions)

    @property
    def enough(self) -> bool:
        """Whether the sample is large enough to judge the value by."""
        return not any(each.lacks for each in self.cautions)

    def measurement(self, name: str, metric: Metric, frame: Frame) -> Measurement:
        """The measurement that `metric`, known as `name`, reports; its parameters are the metric's own fields.

        Of a record of few episodes it says so, where the estimate does not.
        """
        found = replace(self, cautions=(*self.cautions, *(self._few() if "record" in metric.needs else ())))
        return Measurement(
            metric=name,
            value=self.value,
            unit=metric.unit,
            access=metric.access,
            frame=frame,
            estimator=self.estimator,
            parameters=asdict(metric),  # type: ignore[call-overload]  # every metric is a dataclass
            interval=self.interval,
            null=self.null,
            episodes=self.episodes,
            samples=self.samples,
            diagnostics=self.diagnostics,
            warnings=found.warnings,
            enough=found.enough,
        )

    def _few(self) -> tuple[Caution, ...]:
        few = any(each.lacks is Lack.EPISODES for each in self.cautions)
        cut = self.episodes == 1 and self.samples >= LONG
        if few or cut or not self.samples:
            return ()
        return few_episodes(self.episodes, FEW, detail=f" with {self.samples} samples")


def exact_null(value: float, kind: str) -> Null:
    """The null of an exact value whose null is exactly zero: told from it or not, without chance."""
    return Null(kind, 0.0, 0.0, 1, 0.0 if abs(value) > EXACT else 1.0)
