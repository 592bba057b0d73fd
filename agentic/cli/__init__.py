"""The command line: thin commands, one file each, every one a call of a public function. Only here is printed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentic.cli.beginners import unlearned
from agentic.cli.completing import COMPONENTS, EXAMPLE, RUN, Known, example_names
from agentic.cli.executing import with_executor
from agentic.cli.job_progress import following
from agentic.cli.main import main
from agentic.cli.nearby import find_nearby
from agentic.cli.plugins import with_registry
from agentic.cli.terminal import answer, console, json_option, number, printable, say, show_table, warn_of

if TYPE_CHECKING:
    from agentic.cli.progress import progress as run_progress
    from agentic.cli.subjects import check_trusted
    from agentic.cli.tables import sparkline

__all__ = [
    "COMPONENTS",
    "EXAMPLE",
    "RUN",
    "Known",
    "answer",
    "check_trusted",
    "console",
    "example_names",
    "find_nearby",
    "following",
    "json_option",
    "main",
    "number",
    "printable",
    "run_progress",
    "say",
    "show_table",
    "sparkline",
    "unlearned",
    "warn_of",
    "with_executor",
    "with_registry",
]

_LATER = {  # what needs torch: loaded on first use, so that `agentic --help` does without
    "check_trusted": ("agentic.cli.subjects", "check_trusted"),
    "run_progress": ("agentic.cli.progress", "progress"),
    "sparkline": ("agentic.cli.tables", "sparkline"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'agentic.cli' has no attribute {name!r}")
    module, attribute = _LATER[name]
    return getattr(import_module(module), attribute)
