"""The report of a run or a bench: a single HTML file that can be sent and asks for nothing else."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentic_report.writing import report

__all__ = ["report"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'agentic_report' has no attribute {name!r}")
    from agentic_report import writing  # on first use, so that the shell is told options without torch

    return getattr(writing, name)
