"""Where agents are: boundaries discovered in raw recordings, as roles of columns that settle to the least energy.

Public names are loaded on first use, so that the shell is told the options of `agentic discover` without numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentic import hookimpl

if TYPE_CHECKING:
    from agentic_discovery.asked import discover
    from agentic_discovery.columns import Columns
    from agentic_discovery.comparing import rand_index
    from agentic_discovery.discovery import Alternative, Discovery, Role, Window
    from agentic_discovery.metrics import BoundaryEvidence, BoundaryLeak

_HOMES = {
    "discover": "asked",
    "Columns": "columns",
    "rand_index": "comparing",
    **dict.fromkeys(("Alternative", "Discovery", "Role", "Window"), "discovery"),
    **dict.fromkeys(("BoundaryEvidence", "BoundaryLeak"), "metrics"),
}

_METRICS = {"boundary_evidence": "BoundaryEvidence", "boundary_leak": "BoundaryLeak"}

__all__ = [
    "Alternative",
    "BoundaryEvidence",
    "BoundaryLeak",
    "Columns",
    "Discovery",
    "Role",
    "Window",
    "discover",
    "rand_index",
]


@hookimpl
def agentic_metrics() -> dict[str, str]:
    """The metrics this package offers, by short name."""
    return {name: f"agentic_discovery.metrics:{home}" for name, home in _METRICS.items()}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agentic_discovery' has no attribute {name!r}")
    return getattr(import_module(f"agentic_discovery.{_HOMES[name]}"), name)
