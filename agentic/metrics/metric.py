"""Metrics: the contract, one measurement, and metrics asked one by one so that what fails costs only itself.

Agency depends on its frame, so no value exists without one. No record of behavior tells a planner from the table
cloned from it, so metrics say what they need, and some intervene: they change the world and look again.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from time import perf_counter
from typing import ClassVar, TypeAlias, final

import numpy as np

from agentic.errors import BREAKS, RunError, UserError, attempt, described
from agentic.metrics.measurement import Access, Measurement
from agentic.metrics.subject import Informed, Intervention, Part, Subject, Wrap
from agentic.runs.seeds import stream

Outcome: TypeAlias = Measurement | UserError | RunError  # a UserError: it does not apply; a RunError: it broke


class Metric(ABC):
    """A metric: an estimator of one quantity of a subject.

    Concrete ones are frozen dataclasses of the estimator's parameters. `access` says what it looks at, `unit` what its
    values are in, `needs` which parts of a `Subject` it reads: class attributes, or properties where they depend on the
    parameters. Columns that a record lacks are told by the record. `compares` is true for one that looks at its subject
    before and after an intervention: of those in `Subject.interventions`, where there are any. Any other is measured
    under an intervention as it is without.

    Parameters of one name mean the same in all of them: `level` is the confidence level of the interval; `surrogates`
    is how many sets of data without the effect make the null distribution, and so how small a p-value can be;
    `estimator` names how information is estimated from samples, "auto" by the kind of the values; `discount` is what
    a reward one step later counts.

    >>> import agentic
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class EpisodeLength(agentic.Metric):
    ...     access, unit, needs = agentic.Access.RECORDS, "steps", ("record",)
    ...     def measure(self, subject, *, generator):
    ...         lengths = [episode.length for episode in subject.record.episodes("evaluate")]
    ...         frame = agentic.Frame(("t",), "the record", None, "none", "resets", ())
    ...         return agentic.Measurement(
    ...             metric="episode_length", value=sum(lengths) / len(lengths), unit="steps", access=self.access,
    ...             frame=frame, estimator="mean", episodes=len(lengths), samples=len(lengths),
    ...         )
    >>> agentic.measure(EpisodeLength(), (lambda observation: 1, "CartPole-v1"), episodes=3).value
    9.666666666666666
    """

    compares: ClassVar[bool] = False

    @property
    @abstractmethod
    def access(self) -> Access:
        """What it looks at."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """The unit of its values, such as bits, nats or reward."""

    @property
    @abstractmethod
    def needs(self) -> tuple[Part, ...]:
        """The parts of a subject that it reads."""

    @abstractmethod
    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        """The measurement of `subject`, which offers all that is needed; `generator` is the only source of chance."""


def measure(metric: Metric, subject: Subject, *, seed: int = 0) -> Measurement:
    """The measurement of a subject, drawn from the metric's own random stream of `seed`.

    Raises UserError where the subject lacks what the metric needs, RunError where the metric returns anything but a
    Measurement of plain values.
    """
    missing = subject.lacks(*metric.needs)
    if missing:
        raise UserError(
            f"{type(metric).__name__} looks at {metric.access.value} and needs {', '.join(metric.needs)}; "
            f"this subject has no {', '.join(missing)}: add it, or choose a metric that does without"
        )
    found = metric.measure(subject, generator=np.random.default_rng(stream(seed, "metric")))
    if not isinstance(found, Measurement):
        raise RunError(f"{type(metric).__name__} returned {_kind(found)}; expected a Measurement")
    if not isinstance(found.value, Real):
        raise RunError(f"{type(metric).__name__} measured {_kind(found.value)}; expected a number")
    try:
        Measurement.from_dict(found.to_dict())
    except BREAKS as error:  # whatever a third party put into its fields
        raise RunError(
            f"{type(metric).__name__} returned a measurement that cannot be written, {described(error)}"
        ) from error
    return replace(found, seed=seed)


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"


@final
@dataclass(frozen=True)
class Probe:
    """A metric and the circumstances it is asked in.

    These are a change of the world, named `under` and made by `wrap`, of which the agent is `informed`; None: there is
    no change. `episodes` are recorded anew in a changed world.
    """

    metric: Metric
    under: str = ""
    wrap: Wrap | None = None
    informed: Informed = "both"
    episodes: int = 20

    def ask(
        self, subject: Subject, *, seed: int, label: str, references: Mapping[str, Subject] | None = None
    ) -> tuple[Outcome, float]:
        """The outcome for a subject, called `label` in its diagnostics, and the seconds it took.

        Those of `references` (a rock, a random agent) that the metric applies to are measured beside it, at no charge,
        where it looks at more than a world.
        """
        begun = perf_counter()
        found = attempt(lambda: measure(self.metric, self._changed(subject, seed), seed=seed))
        seconds = perf_counter() - begun
        if isinstance(found, Measurement):
            others = {} if references is None or self.metric.needs == ("environment",) else references
            scored = {name: self.ask(other, seed=seed, label=name)[0] for name, other in others.items()}
            scores = {name: each.value for name, each in scored.items() if isinstance(each, Measurement)}
            diagnostics = {**found.diagnostics, "subject": label}
            found = replace(found, references={**found.references, **scores}, diagnostics=diagnostics)
        return found, seconds

    def _changed(self, subject: Subject, seed: int) -> Subject:
        """The subject in the changed world; what compares before and after is given the change instead."""
        if self.wrap is None:
            return subject
        change = Intervention.announced(self.under, self.wrap, subject.environment, self.informed)
        if self.metric.compares:
            return subject.having(interventions=(change,))
        changed = subject.under(change)
        return changed.recorded(episodes=self.episodes, seed=seed) if "record" in self.metric.needs else changed
