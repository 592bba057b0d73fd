"""The bench: a battery of agents, worlds, metrics and interventions as one file, measured side by side.

Public names are loaded on first use, so that the shell is told the options of `agentic bench` without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentic.metrics import Result
    from agentic_bench.asked import bench
    from agentic_bench.bench_file import Battery
    from agentic_bench.cells import Cell, Scores, read_cells
    from agentic_bench.folder import BenchFolder
    from agentic_bench.running import bench_folder, carried_out_bench, check
    from agentic_bench.task import Task

__all__ = [
    "Battery",
    "BenchFolder",
    "Cell",
    "Result",
    "Scores",
    "Task",
    "bench",
    "bench_folder",
    "carried_out_bench",
    "check",
    "read_cells",
]


_HOMES = {
    **{"Battery": "bench_file", "BenchFolder": "folder", "slug": "folder", "Task": "task", "bench": "asked"},
    **dict.fromkeys(("Cell", "Result", "Scores", "read_cells"), "cells"),
    **dict.fromkeys(("Observer", "bench_folder", "carried_out_bench", "check"), "running"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agentic_bench' has no attribute {name!r}")
    return getattr(import_module(f"agentic_bench.{_HOMES[name]}"), name)
