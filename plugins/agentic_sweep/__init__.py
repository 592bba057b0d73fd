"""Sweeps: one experiment on many seeds and with many values of its settings, side by side, as one table.

Public names are loaded on first use, so that the shell is told the options of `agentic sweep` without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentic_sweep.asked import sweep
    from agentic_sweep.sweeping import carried_out_sweep, sweep_folder
    from agentic_sweep.table import Swept
    from agentic_sweep.tables import Range, SweepFile, SweepTable
    from agentic_sweep.unit import SweptRun

__all__ = ["Range", "SweepFile", "SweepTable", "Swept", "SweptRun", "carried_out_sweep", "sweep", "sweep_folder"]


def __getattr__(name: str) -> Any:
    for home in ("tables", "unit", "table", "sweeping", "asked") if name in __all__ else ():
        module = import_module(f"agentic_sweep.{home}")
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module 'agentic_sweep' has no attribute {name!r}")
