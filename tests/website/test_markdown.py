"""Docstrings as Markdown: shapes are no emphasis, examples are blocks of code."""

import re
from pathlib import Path

import pytest

from tests.house.repository import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
ITEM = re.compile(r"( *)(?:[-*]|\d+\.) ")
markdown = pytest.importorskip("markdown")


def html(text: str) -> str:
    return str(markdown.markdown(text, extensions=["website.markdown", "fenced_code"]))


@pytest.mark.parametrize("shape", ["(*s, b, *event)", "x (*s, b) and z (*s, b, n)", "(a or *k, u), (*s, b)"])
def test_shapes_are_no_emphasis(shape: str) -> None:
    assert html(shape) == f"<p>{shape}</p>"


@pytest.mark.parametrize("text", ["*one*", "*two words*", "(*one*, *two*)", "*Threads, or none*: no"])
def test_emphasis_stays(text: str) -> None:
    assert "*" not in html(text)


def test_shapes_within_code_stay() -> None:
    assert html("`(*s, b)`") == "<p><code>(*s, b)</code></p>"


def test_examples_are_code_up_to_an_empty_line() -> None:
    made = html("First.\n\n>>> a[0][1]\n[1, 2]\n\nThen.\n\n>>> b")
    assert made.count("<pre>") == 2
    assert "<p>Then.</p>" in made
    assert "[1, 2]\n</code>" in made


def test_blocks_stay_as_they_are() -> None:
    assert html("```pycon\n>>> a\n1\n\n```").count("<pre>") == 1


def otherwise(page: str) -> list[str]:
    """The lines that the site would read otherwise than GitHub: Python-Markdown wants four spaces and empty lines."""
    found, before, fenced = [], "", False
    for line in page.splitlines():
        fenced ^= line.lstrip().startswith("```")
        item = None if fenced else ITEM.match(line)
        begins = item and before.strip() and not ITEM.match(before) and not before.startswith((" ", "#"))
        inner = not fenced and not before.strip() and re.match(r" {1,3}\S", line)
        if begins or inner or (item and 0 < len(item[1]) < 4):
            found.append(line)
        before = line
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_site_reads_a_page_as_it_is_read_elsewhere(page: Path) -> None:
    assert not otherwise(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", ["Words\n- item", "- item\n  - inner", "- item\n\n  more"])
def test_what_would_be_read_otherwise_is_found(text: str) -> None:
    assert otherwise(text) == [text.splitlines()[-1]]
