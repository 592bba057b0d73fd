"""The command line: thin commands, one file each, every one a call of a public function. Only here is printed."""

from agentic.cli.main import main

__all__ = ["main"]
