"""Markdown as our docstrings and pages have it: shapes such as (*s, b, *event) are no emphasis."""

from typing import Any, final

from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

SHAPE = r"(?<![\w*])\*(?=\w+[,)])"
BEFORE_EMPHASIS = 70  # which Python-Markdown looks for at 60, after code at 190 and links at 160


@final
class Asterisk(InlineProcessor):
    """An asterisk that opens an entry of a shape, as a character."""

    def handleMatch(self, m: Any, data: str) -> tuple[str, int, int]:  # type: ignore[override]
        return f"{chr(2)}{ord('*')}{chr(3)}", m.start(0), m.end(0)


@final
class Shapes(Extension):
    """Shapes left as they are."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.inlinePatterns.register(Asterisk(SHAPE, md), "shapes", BEFORE_EMPHASIS)


def makeExtension(**options: Any) -> Shapes:  # the name that Markdown looks for
    """The extension."""
    return Shapes(**options)
