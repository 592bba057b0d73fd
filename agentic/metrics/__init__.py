"""Agency metrics: subjects, interventions, measurements, verdicts."""

from agentic.metrics.measurement import finite, mean_interval
from agentic.metrics.metric import Outcome, Probe
from agentic.metrics.profile import Row, holm, verdicts
from agentic.metrics.results import Result
from agentic.metrics.returns import return_interval
from agentic.metrics.summary import summarize

__all__ = [
    "Outcome",
    "Probe",
    "Result",
    "Row",
    "finite",
    "holm",
    "mean_interval",
    "return_interval",
    "summarize",
    "verdicts",
]
