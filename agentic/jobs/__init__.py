"""Jobs: many runs at once, in processes here or on other machines, whose results do not depend on where they are done.

Public names are loaded on first use, so that the shell is told a command's options without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentic.jobs.allocator import keep_freed_memory
    from agentic.jobs.carrying import Observer, Unit, carry_out, forget, left
    from agentic.jobs.executor import Executor, Resources, cores
    from agentic.jobs.folder import UnitFolder, slug, unit_path, writing
    from agentic.jobs.job import Ended, Job, Placed
    from agentic.jobs.lock import LOCK, alone
    from agentic.jobs.named import executor_class, executor_names, executor_of
    from agentic.jobs.processes import Processes, Worker
    from agentic.jobs.sources import file_hashes, source_hash
    from agentic.jobs.whole import at_work, newest

_HOMES = {
    "allocator": ("keep_freed_memory",),
    "carrying": ("Observer", "Unit", "carry_out", "forget", "left"),
    "executor": ("Executor", "Resources", "cores"),
    "folder": ("UnitFolder", "slug", "unit_path", "writing"),
    "job": ("Ended", "Job", "Placed"),
    "lock": ("LOCK", "alone"),
    "named": ("executor_class", "executor_names", "executor_of"),
    "processes": ("Processes", "Worker"),
    "sources": ("file_hashes", "source_hash"),
    "whole": ("at_work", "newest"),
}

__all__ = [
    "LOCK",
    "Ended",
    "Executor",
    "Job",
    "Observer",
    "Placed",
    "Processes",
    "Resources",
    "Unit",
    "UnitFolder",
    "Worker",
    "alone",
    "at_work",
    "carry_out",
    "cores",
    "executor_class",
    "executor_names",
    "executor_of",
    "file_hashes",
    "forget",
    "keep_freed_memory",
    "left",
    "newest",
    "slug",
    "source_hash",
    "unit_path",
    "writing",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"agentic.jobs.{home}"), name)
    raise AttributeError(f"module 'agentic.jobs' has no attribute {name!r}")
