"""What is measured of whom: subjects, interventions, measurements, verdicts."""

from agentic.metrics.profile import Row
from agentic.metrics.results import RESULT, Result
from agentic.metrics.significance import Verdict, verdicts
from agentic.metrics.summary import mean_interval, summarize

__all__ = [
    "RESULT",
    "Result",
    "Row",
    "Verdict",
    "mean_interval",
    "summarize",
    "verdicts",
]
