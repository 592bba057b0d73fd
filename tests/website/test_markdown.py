"""Docstrings as Markdown: shapes are no emphasis, examples are blocks of code."""

import pytest

markdown = pytest.importorskip("markdown")


def html(text: str) -> str:
    return str(markdown.markdown(text, extensions=["website.markdown", "fenced_code"]))


@pytest.mark.parametrize("shape", ["(*s, b, *event)", "x (*s, b) and z (*s, b, n)", "*event, once, and *event, twice"])
def test_shapes_are_no_emphasis(shape: str) -> None:
    assert html(shape) == f"<p>{shape}</p>"


@pytest.mark.parametrize("text", ["*one*", "*two words*", "(*one*, *two*)"])
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
