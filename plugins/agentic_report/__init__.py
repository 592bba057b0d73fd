"""The report of a run or a bench: a single HTML file that can be sent and asks for nothing else."""

from agentic_report.writing import report

__all__ = ["report"]
