"""The terminal, for every command: where tables and lines go, and numbers in them.

What is printed may come from anybody's files: characters that a terminal would obey are written as escapes.
"""

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


# Control characters but for line ends and tabs, marks that turn the direction of writing, and halves of characters.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with what a terminal would obey, or cannot encode, written as in a string literal: an ESC as \\x1b."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: object, *, err: bool = False) -> None:
    """Print a line of plain text."""
    click.echo(printable(str(text)), err=err)


def console(stderr: bool = False) -> "Console":
    """The console that tables go to; not so narrow when piped that numbers are cut."""
    from rich.console import Console
    from rich.text import Text

    class Escaping(Console):
        """A console that prints texts, those in tables too, as `printable` has them."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(printable(text), **options)

    made = Escaping(stderr=stderr, highlight=False)
    return made if made.is_terminal else Escaping(stderr=stderr, highlight=False, width=140)


def number(value: float | None) -> str:
    """A number to four digits; a dash for what is not known."""
    if value is None:
        return "-"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
