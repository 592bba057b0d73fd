"""What runs and benches found: pages that ask for nothing else, lists of runs, and runs compared.

Public names are loaded on first use, so that the shell is told the options of the commands without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentic_report.comparing.comparison import Comparison, compare
    from agentic_report.listing.finding import Listing, find_runs
    from agentic_report.listing.listed import Listed
    from agentic_report.writing import report

__all__ = ["Comparison", "Listed", "Listing", "compare", "find_runs", "report"]
_HOMES = {
    **{"Comparison": "comparing.comparison", "compare": "comparing.comparison"},
    **{"Listed": "listing.listed", "Listing": "listing.finding", "find_runs": "listing.finding"},
    "report": "writing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agentic_report' has no attribute {name!r}")
    return getattr(import_module(f"agentic_report.{_HOMES[name]}"), name)
