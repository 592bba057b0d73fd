"""Agency metrics: subjects, interventions, measurements, verdicts.

What needs torch is loaded on first use, so that numbers of many runs are told without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentic.metrics.interquartile import expanded, interquartile_mean, resampled
from agentic.metrics.measurement import finite, mean_interval
from agentic.metrics.profile import Row, holm, verdicts
from agentic.metrics.returns import return_interval

if TYPE_CHECKING:
    from agentic.metrics.metric import Outcome, Probe
    from agentic.metrics.results import Result
    from agentic.metrics.summary import summarize

__all__ = [
    "Outcome",
    "Probe",
    "Result",
    "Row",
    "expanded",
    "finite",
    "holm",
    "interquartile_mean",
    "mean_interval",
    "resampled",
    "return_interval",
    "summarize",
    "verdicts",
]

_LATER = {"Outcome": "metric", "Probe": "metric", "Result": "results", "summarize": "summary"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'agentic.metrics' has no attribute {name!r}")
    return getattr(import_module(f"agentic.metrics.{_LATER[name]}"), name)
