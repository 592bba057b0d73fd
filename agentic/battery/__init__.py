"""The bench: a battery of agents, worlds, metrics and interventions as one file, measured side by side."""

from agentic.battery.cells import Cell, Scores, read_cells
from agentic.battery.running import Observer, bench, bench_folder, check
from agentic.battery.tables import Battery
from agentic.battery.task import RESULT, Result, Task

__all__ = [
    "RESULT",
    "Battery",
    "Cell",
    "Observer",
    "Result",
    "Scores",
    "Task",
    "bench",
    "bench_folder",
    "check",
    "read_cells",
]
