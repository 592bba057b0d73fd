"""What an object shows of itself: a line where it is printed, a small table where a notebook displays it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import import_module
from types import ModuleType

from agentic.errors import UserError, shown


class Shown(ABC):
    """Whatever shows a few facts of itself, by name; what is empty or None is left out.

    `brief` is for a line and must cost nothing; `facts` may read what it takes.
    """

    @abstractmethod
    def brief(self) -> Mapping[str, object]:
        """The facts of one line."""

    def facts(self) -> Mapping[str, object]:
        """The facts of a table."""
        return self.brief()

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={shown(value)}" for name, value in self.brief().items() if _is_said(value))
        return f"{type(self).__name__}({given})"

    def _repr_html_(self) -> str:
        said = [(name.replace("_", " "), value) for name, value in self.facts().items() if _is_said(value)]
        lines = [(name, value if isinstance(value, str) else shown(value)) for name, value in said]
        return html_table(lines, type(self).__name__)


def html_table(lines: Iterable[Iterable[object]], caption: str, head: Sequence[str] = ()) -> str:
    """A table without any color of its own, so that it can be read in light and dark; the first cells are headings."""
    rows = [f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>"] if head else []
    for first, *others in lines:
        cells = "".join(f"<td>{escape(str(cell))}</td>" for cell in others)
        rows.append(f"<tr><th>{escape(str(first))}</th>{cells}</tr>")
    return f"<table><caption>{escape(caption)}</caption>{''.join(rows)}</table>"


def text_table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of text, the cells of a column one below the other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _is_said(value: object) -> bool:
    return value is not None and not (isinstance(value, str | list | tuple | dict) and not value)


def pandas() -> ModuleType:
    """The module pandas. Raises UserError where it is not installed."""
    try:
        return import_module("pandas")
    except ImportError as error:
        raise UserError(f"a table for pandas needs it installed ({error}): pip install 'agentic[pandas]'") from None
