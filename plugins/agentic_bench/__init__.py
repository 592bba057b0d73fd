"""The bench: a battery of agents, worlds, metrics and interventions as one file, measured side by side."""

from agentic.metrics import Result
from agentic_bench.asked import bench
from agentic_bench.bench_file import Battery
from agentic_bench.cells import Cell, Scores, read_cells
from agentic_bench.folder import BenchFolder, slug
from agentic_bench.running import Observer, bench_folder, carried_out_bench, check
from agentic_bench.task import Task

__all__ = [
    "Battery",
    "BenchFolder",
    "Cell",
    "Observer",
    "Result",
    "Scores",
    "Task",
    "bench",
    "bench_folder",
    "carried_out_bench",
    "check",
    "read_cells",
    "slug",
]
