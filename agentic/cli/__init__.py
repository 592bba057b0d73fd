"""The command line: thin commands, one file each, every one a call of a public function. Only here is printed."""

from agentic.cli.allocator import keep_freed_memory
from agentic.cli.beginners import unlearned
from agentic.cli.completing import COMPONENTS, EXAMPLE, RUN, Known, example_names
from agentic.cli.main import main
from agentic.cli.nearby import find_nearby
from agentic.cli.plugins import with_registry
from agentic.cli.terminal import answer, console, json_option, number, printable, say, show_table, warn_of

__all__ = [
    "COMPONENTS",
    "EXAMPLE",
    "RUN",
    "Known",
    "answer",
    "console",
    "example_names",
    "find_nearby",
    "json_option",
    "keep_freed_memory",
    "main",
    "number",
    "printable",
    "say",
    "show_table",
    "unlearned",
    "warn_of",
    "with_registry",
]
