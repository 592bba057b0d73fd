"""One page one can send: what a run or a bench recorded and measured, as a single HTML file that asks for nothing."""

from agentic_report.writing import report

__all__ = ["report"]
