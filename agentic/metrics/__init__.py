"""What is measured of whom: subjects, interventions, measurements, verdicts."""

from agentic.metrics.profile import Row
from agentic.metrics.results import Result
from agentic.metrics.significance import Verdict, verdicts
from agentic.metrics.summary import mean_interval, summarize

__all__ = [
    "Result",
    "Row",
    "Verdict",
    "mean_interval",
    "summarize",
    "verdicts",
]
