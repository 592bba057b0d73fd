"""Metrics: what is measured about an agent, what a metric may look at, and the value it must account for.

Agency depends on its frame, so no value exists without one. No record of behavior tells a planner from the table
cloned from it, so metrics say what they need, and some intervene: they change the world and look again.
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np

from agentic.errors import UserError
from agentic.metrics.measurement import Access, Measurement
from agentic.metrics.subject import Part, Subject
from agentic.runs.seeds import stream


class Metric(ABC):
    """One way to measure a subject. Concrete ones are frozen dataclasses of the estimator's parameters.

    `access` says what it looks at, `unit` what its values are in, `needs` which parts of a `Subject` it reads: class
    attributes, or properties where they depend on the parameters. Columns that a record lacks are told by the record.
    `compares` is true for one that looks at its subject before and after an intervention: of those in
    `Subject.interventions`, where there are any. Any other is measured under an intervention as it is without.
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
        """The measurement; `subject` offers all that is needed, `generator` is the only source of chance."""


def measure(metric: Metric, subject: Subject, *, seed: int = 0) -> Measurement:
    """The measurement of a subject, drawn from the metric's own random stream of `seed`.

    Raises UserError where the subject lacks what the metric needs.
    """
    missing = subject.lacks(*metric.needs)
    if missing:
        raise UserError(
            f"{type(metric).__name__} looks at {metric.access.value} and needs {', '.join(metric.needs)}; "
            f"this subject has no {', '.join(missing)}: add it, or choose a metric that does without"
        )
    return replace(metric.measure(subject, generator=np.random.default_rng(stream(seed, "metric"))), seed=seed)
