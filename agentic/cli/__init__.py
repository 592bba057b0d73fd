"""The command line: thin commands, one file each, every one a call of a public function. Only here is printed."""

from agentic.cli.allocator import keep_freed_memory
from agentic.cli.main import main
from agentic.cli.plugins import with_registry
from agentic.cli.terminal import console, number, printable, say

__all__ = ["console", "keep_freed_memory", "main", "number", "printable", "say", "with_registry"]
