"""A measured value with everything needed to judge it: its frame, its interval, its null."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from math import isfinite, nan, sqrt
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError
from scipy.special import stdtrit

from agentic.errors import UserError
from agentic.metrics.verdict import Verdict, judged
from agentic.showing import html_table

if TYPE_CHECKING:
    from rich.table import Table


class Access(Enum):
    """The kind of access to a subject that a metric needs; of several, the last in this order."""

    RECORDS = "records"  # observations, actions and rewards of a record
    INTERNALS = "internals"  # beliefs, plans and energies of an agent
    MODEL = "model"  # the true dynamics of an environment, or one that can be reset at will
    INTERVENE = "intervene"  # an agent and an environment that are run again with something changed


@final
@dataclass(frozen=True)
class Frame:
    """The frame of reference of a measurement, which the measurer chose: a value holds within it and nowhere else.

    `variables` are what was measured; `boundary` says where the agent ends and the world begins; `horizon` is in steps,
    None for whole episodes; `goal` and `start` (the distribution of first states) are in words; `interventions` name
    what was changed, empty where nothing was. All are required. Raises UserError where words are missing.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    variables: tuple[str, ...]
    boundary: str
    horizon: int | None
    goal: str
    start: str
    interventions: tuple[str, ...]

    def __post_init__(self) -> None:
        if isinstance(self.variables, str) or isinstance(self.interventions, str):
            raise UserError("variables and interventions of a frame are tuples of names, got a single string")
        for name in ("variables", "boundary", "goal", "start"):
            if not getattr(self, name):
                raise UserError(f"a frame needs its {name}: say what it is, or 'none' where there is none")

    def __str__(self) -> str:
        span = "whole episodes" if self.horizon is None else f"{self.horizon} steps"
        changes = ", ".join(self.interventions) or "none"
        return (
            f"{', '.join(self.variables)} over {span}; boundary: {self.boundary}; goal: {self.goal}; "
            f"start: {self.start}; interventions: {changes}"
        )


@final
@dataclass(frozen=True)
class Interval:
    """A `level` (such as 0.95) interval from `low` to `high`, and the method that gave it.

    Level 1 is a pair of bounds that hold without chance.
    """

    level: float
    low: float
    high: float
    method: str

    @classmethod
    def student(cls, value: float, error: float, freedom: float, *, level: float, method: str = "Student t") -> Self:
        """Student's interval, value ± t(level, freedom) error; NaN bounds without a degree of freedom.

        `error` is the standard error.
        """
        half = float(stdtrit(freedom, 0.5 + level / 2)) * error if freedom > 0 else nan
        return cls(level, value - half, value + half, method)

    def __str__(self) -> str:
        return f"[{self.low:.4g}, {self.high:.4g}]"


@final
@dataclass(frozen=True)
class Null:
    """The null distribution: mean and sd of the metric over `n` surrogates of this `kind`, which hold no effect."""

    kind: str
    mean: float
    sd: float
    n: int
    p_value: float

    def __str__(self) -> str:
        return f"null {self.mean:.4g} ± {self.sd:.2g} ({self.kind}, {self.n}), p = {self.p_value:.3g}"


@final
@dataclass(frozen=True, kw_only=True, repr=False)
class Measurement:
    """A measured value with its frame, its interval, its null and its sample sizes.

    `interval` is None where the value is exact, `null` where no surrogate has a meaning; `references` are what named
    other agents (a rock, a random one) score, and are no null. `episodes` and `samples` are the sample sizes, 0 for
    exact values. `estimator` with its `parameters` says how, `diagnostics` hold plain numbers, lists and words.
    `warnings` are sentences for people and decide nothing. `enough` is False where the metric itself knows that its
    sample is too small to judge by, and a warning says how much it takes. Raises UserError without a frame.

    >>> import agentic
    >>> agentic.measure("episode_return", (lambda observation: 1, "FrozenLake-v1"), episodes=20)
    <episode_return = 0 reward; [0, 0.1684]; 20 episodes, 20 samples>
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    metric: str
    value: float
    unit: str
    access: Access
    frame: Frame
    estimator: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    interval: Interval | None = None
    null: Null | None = None
    references: Mapping[str, float] = field(default_factory=dict)
    episodes: int = 0
    samples: int = 0
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    warnings: tuple[str, ...] = ()
    enough: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.frame, Frame):
            raise UserError(f"a measurement of {self.metric} needs a Frame to hold in, got {self.frame!r}")

    @property
    def outside_null(self) -> bool | None:
        """Whether the value is told from its null at the 5 % level; None where nothing can be told.

        That is without a null, without a value, with too little data and with too few surrogates. Of many measurements
        some fall outside by chance: adjust their p-values with `holm` first.
        """
        return {Verdict.OUTSIDE: True, Verdict.INSIDE: False}.get(self.verdict)

    @property
    def verdict(self) -> Verdict:
        """The verdict on the value against its null at the 5 % level, not adjusted for other measurements."""
        return judged([self], self.null and self.null.p_value)

    def to_dict(self) -> dict[str, Any]:
        """The measurement as plain values for strict JSON; what is not finite becomes 'nan', 'inf' or '-inf'."""
        return {key: _plain(value) for key, value in (vars(self) | {"access": self.access.value}).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Measurement":
        """The measurement that `to_dict` wrote.

        Raises UserError where a key is missing or unknown, the frame included.
        """
        try:
            return _reader().validate_python(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise UserError(f"this is not a measurement as to_dict() writes it: {where}: {first['msg']}") from None

    def __str__(self) -> str:
        parts = [f"{self.metric} = {self.value:.4g} {self.unit}"]
        parts += [str(part) for part in (self.interval, self.null) if part]
        parts += [f"{name} scores {value:.4g}" for name, value in self.references.items()]
        return "; ".join([*parts, self._sample(), *(f"warning: {warning}" for warning in self.warnings)])

    def __repr__(self) -> str:
        return f"<{self}>"

    def __rich__(self) -> "Table":
        from rich.table import Table

        table = Table(title=self.metric, show_header=False)
        for name, value in self._rows().items():
            table.add_row(name, value)
        return table

    def _repr_html_(self) -> str:
        return html_table(self._rows().items(), self.metric)

    def _rows(self) -> dict[str, str]:
        interval = self.interval and f"{self.interval} ({self.interval.level:.0%}, {self.interval.method})"
        shown = {
            "value": f"{self.value:.6g} {self.unit}",
            "interval": interval,
            "null": self.null,
            "verdict": self.verdict.value,
            "references": ", ".join(f"{name} {value:.4g}" for name, value in self.references.items()),
            "sample": self._sample(),
            "estimator": ", ".join([self.estimator, *(f"{k} = {v}" for k, v in self.parameters.items())]),
            "access": self.access.value,
            "frame": self.frame,
            "cautions": "; ".join(self.warnings),
        }
        return {name: str(value) for name, value in shown.items() if value}

    def _sample(self) -> str:
        return f"{self.episodes} episodes, {self.samples} samples" if self.samples else "exact"


def mean_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> tuple[float, Interval]:
    """The mean of independent `values` and its interval, mean ± t(level, n - 1) sd / sqrt(n).

    All is NaN without values; the bounds are NaN for a single one.
    """
    sample = np.asarray(values, np.float64)
    n = len(sample)
    with np.errstate(all="ignore"):  # of what is infinite
        mean = float(sample.mean()) if n else nan
        error = float(sample.std(ddof=1)) / sqrt(n) if n > 1 else nan
    return mean, Interval.student(mean, error, n - 1, level=level, method="Student t over episodes")


def finite(value: float | None) -> float | None:
    """The value, or None for what is not finite: what strict JSON has for a number that is not there."""
    return value if value is not None and isfinite(value) else None


@cache
def _reader() -> TypeAdapter[Measurement]:
    return TypeAdapter(Measurement)


def _plain(value: Any) -> Any:
    """Numbers, words, lists and mappings of them, from dataclasses and arrays too."""
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Frame | Interval | Null):
        return _plain(vars(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    exact = isinstance(value, bool | int | str | None) or (isinstance(value, float) and isfinite(value))
    return value if exact else str(value)
