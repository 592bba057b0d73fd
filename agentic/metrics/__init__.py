"""What is measured of whom: subjects, interventions, measurements, verdicts."""

from agentic.metrics.measurement import finite, mean_interval
from agentic.metrics.probe import Outcome, Probe
from agentic.metrics.profile import Row, verdicts
from agentic.metrics.results import Result
from agentic.metrics.summary import summarize

__all__ = ["Outcome", "Probe", "Result", "Row", "finite", "mean_interval", "summarize", "verdicts"]
