"""An estimate with its interval and null: what a metric finds in arrays, before it puts it in its frame."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic import Frame, Interval, Measurement, Metric, Null, UserError
from agentic_metrics.cautions import Caution, Lack, few_episodes
from agentic_metrics.sampling.information import Information, interval

EXACT = 1e-9  # below this an exact value is zero
FEW = 10  # episodes below which an interval from their spread is not to be believed
LONG = 100  # samples from which a single episode is cut into blocks
ENOUGH_PAST = "all steps of the evaluation episodes with enough past"


@final
@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its interval, its null and how it was found; `float(estimate)` is the value.

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

    @classmethod
    def of(
        cls,
        found: Information,
        estimator: str,
        episode: NDArray[np.int64],
        *,
        null: Null | None,
        diagnostics: Mapping[str, Any],
        level: float = 0.95,
    ) -> "Estimate":
        """The estimate of information, with its interval over episodes; `episode` (n,) is that of each sample."""
        return cls(
            value=found.value,
            estimator=estimator,
            interval=interval(found, episode, level=level),
            null=null,
            episodes=len(np.unique(episode)),
            samples=len(episode),
            diagnostics=diagnostics,
            cautions=found.cautions,
        )

    def __float__(self) -> float:
        return self.value

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences of the cautions."""
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
            unit=metric.unit,
            access=metric.access,
            frame=frame,
            parameters=asdict(metric),  # type: ignore[call-overload]  # every metric is a dataclass
            warnings=found.warnings,
            enough=found.enough,
            **{key: value for key, value in vars(self).items() if key != "cautions"},
        )

    def _few(self) -> tuple[Caution, ...]:
        few = any(each.lacks is Lack.EPISODES for each in self.cautions)
        cut = self.episodes == 1 and self.samples >= LONG
        if few or cut or not self.samples:
            return ()
        return few_episodes(self.episodes, FEW, detail=f" with {self.samples} samples")


def exact_null(value: float, kind: str) -> Null:
    """The null of an exact value whose null is exactly zero; p is 0 or 1, without chance."""
    return Null(kind, 0.0, 0.0, 1, 0.0 if abs(value) > EXACT else 1.0)


def effective(value: float, null: Null | None) -> dict[str, float]:
    """The diagnostic `effective`, a value less the mean of its null; none without a null."""
    return {"effective": value - null.mean} if null else {}


def observed(variables: tuple[str, ...], *, boundary: str, horizon: int | None, start: str = ENOUGH_PAST) -> Frame:
    """The frame of what was observed alone, without a goal and without interventions."""
    return Frame(variables, boundary, horizon, goal="none", start=start, interventions=())


def check_fields(metric: Metric, **least: int) -> None:
    """Check that each field named is at least its `least` value, and that a field `level` lies between 0 and 1.

    Raises UserError, with what is expected of those that do not.
    """
    fields = vars(metric)
    wrong = {name: f"{name} >= {value}" for name, value in least.items() if fields[name] < value}
    if not 0 < fields.get("level", 0.5) < 1:
        wrong["level"] = "a level between 0 and 1"
    if wrong:
        got = ", ".join(f"{name} = {fields[name]!r}" for name in wrong)
        raise UserError(f"{type(metric).__name__} expects {', '.join(wrong.values())}, got {got}")
