"""The terminal, for every command: where tables and lines go, numbers in them, and standard output for JSON alone.

What is printed may come from anybody's files: characters that a terminal would obey are written as escapes.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import IOBase
from math import isnan
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from agentic.runs.record import Record


# Control characters but for line ends and tabs, marks that turn the direction of writing, and halves of characters.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with what a terminal would obey, or cannot encode, written as in a string literal: an ESC as \\x1b."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: object, *, err: bool = False) -> None:
    """Print a line of plain text."""
    reopen()
    click.echo(printable(str(text)), err=err)


def console(stderr: bool = False) -> "Console":
    """The console that tables go to; not so narrow when piped that numbers are cut."""
    from rich.console import Console
    from rich.text import Text

    reopen()

    class Escaping(Console):
        """A console that prints texts, those in tables too, as `printable` has them."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(printable(text), **options)

    made = Escaping(stderr=stderr, highlight=False)
    return made if made.is_terminal else Escaping(stderr=stderr, highlight=False, width=140)


def show_table(table: "Table") -> None:
    """Print a table; where not even its words fit side by side, each line as a paragraph, so that nothing is cut."""
    from rich.padding import Padding

    out = console()
    if out.measure(table, options=out.options.update_width(10_000)).minimum <= out.width:
        out.print(table)
        return
    heads = [str(column.header) for column in table.columns]
    parts: list[Any] = [table.title] if table.title else []
    for name, *cells in zip(*(column.cells for column in table.columns), strict=True):
        lines = [" ".join(f"{head} {cell}".split()) for head, cell in zip(heads[1:], cells, strict=True) if cell]
        parts += [name, Padding("; ".join(lines), (0, 0, 0, 4))]
    out.print(*parts, *([table.caption] if table.caption else []), sep="\n")


def reopen() -> None:
    """Open standard output and standard error again where somebody's code has closed them."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = vars(sys).get(name)
        if isinstance(stream, IOBase) and stream.closed:
            try:
                again: TextIO | None = open(descriptor, "w", errors="backslashreplace", closefd=False)
            except OSError:  # the descriptor is closed too: nobody listens
                again = None
            setattr(sys, name, again)


def warn_of(record: "Record") -> None:
    """One line on standard error where some of a salvaged record is missing, foreign or damaged."""
    if problems := record.problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        say(f"warning: {problems[0]}{more}; what is sound is read", err=True)


def number(value: float | None) -> str:
    """A number to four digits; a dash for what is not known, or no number."""
    if value is None or isnan(value):
        return "-"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


_answers: list[TextIO] = []  # where answers go while standard output is theirs alone


def json_option(help: str) -> Callable[[Any], Any]:
    """The flag `--json`, as `as_json`: while it is set, only what `answer` is given goes to standard output."""

    def alone(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
        if value and not ctx.resilient_parsing:
            ctx.with_resource(_answers_alone())
        return value

    return click.option("--json", "as_json", is_flag=True, is_eager=True, callback=alone, help=help)


def answer(text: str) -> None:
    """Print the answer of a command on standard output."""
    reopen()
    click.echo(text, file=_answers[-1] if _answers else None)


@contextmanager
def _answers_alone() -> Iterator[None]:
    """Send to standard error what others print meanwhile, libraries in C and processes of theirs included."""
    out = sys.stdout
    kept = _duplicate(out)
    stream = out if kept is None else os.fdopen(kept, "w", encoding=out.encoding, errors=out.errors)
    _answers.append(stream)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = out
        _answers.remove(stream)
        if kept is not None:
            try:
                stream.flush()
            finally:
                os.dup2(kept, 1)
                with suppress(OSError):  # what was not read is told by the flush
                    stream.close()


def _duplicate(out: TextIO) -> int | None:
    """A second descriptor of standard output, the first made to lead to standard error; None where it is no file."""
    try:
        if out.fileno() != 1:
            return None
        out.flush()
        kept = os.dup(1)
        os.dup2(2, 1)
    except (AttributeError, OSError, ValueError):
        return None
    return kept
