"""Markdown as our docstrings have it: shapes such as (*s, b, *event) are no emphasis, examples are code."""

from typing import Any, final

from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

SHAPE = r"(?<![\w*])\*(?=[a-z_]+[,)])"
BEFORE_EMPHASIS = 70  # which Python-Markdown looks for at 60, after code at 190 and links at 160
BEFORE_FENCES = 28  # which are looked for at 25


@final
class Asterisk(InlineProcessor):  # type: ignore[misc]
    """An asterisk that opens an entry of a shape, as a character."""

    def handleMatch(self, m: Any, data: str) -> tuple[str, int, int]:
        return f"{chr(2)}{ord('*')}{chr(3)}", m.start(0), m.end(0)


@final
class Examples(Preprocessor):  # type: ignore[misc]
    """Lines from `>>>` to the next empty one, as a block of code; what is in a block already stays there."""

    def run(self, lines: list[str]) -> list[str]:
        made, fenced, example = list[str](), False, False
        for line in [*lines, ""]:
            fenced ^= line.lstrip().startswith("```")
            if line.startswith(">>> ") and not fenced and not example:
                made, example = [*made, "```pycon"], True
            elif example and not line.strip():
                made, example = [*made, "```"], False
            made.append(line)
        return made[:-1] if made[-1] == "" else made


@final
class House(Extension):  # type: ignore[misc]
    """Shapes left as they are, and examples as code."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.inlinePatterns.register(Asterisk(SHAPE, md), "shapes", BEFORE_EMPHASIS)
        md.preprocessors.register(Examples(md), "examples", BEFORE_FENCES)


def makeExtension(**options: Any) -> House:  # the name that Markdown looks for
    """The extension."""
    return House(**options)
