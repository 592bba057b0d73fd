"""The terminal, for every command: where tables go, and numbers in them."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from agentic.runs.record import Record


def console(stderr: bool = False) -> "Console":
    """The console that tables go to; not so narrow when piped that numbers are cut."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=140)


def warn_of(record: "Record") -> None:
    """One line on standard error where some of a salvaged record is missing, foreign or damaged."""
    if problems := record.problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        click.echo(f"warning: {problems[0]}{more}; what is sound is read", err=True)


def number(value: float | None) -> str:
    """A number to four digits; a dash for what is not known."""
    if value is None:
        return "-"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
