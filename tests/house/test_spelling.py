"""One spelling, American, in the pages and in docstrings and comments; a word list, no dictionary."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.code_lines import Documented
from tests.house.repository import ROOT, python_files

BRITISH = re.compile(
    r"""
    \b(
        (behavi|col|fav|flav|harb|hon|hum|lab|neighb|rum|vap|vig)our\w*
      | (cent|fib|lit|met|theat)re(s|d)?
      | (analy|paraly|cataly)s(e|ed|ing)
      | \w*(modell|labell|cancell|channell|signall|travell|tunnell|levell|marshall|totall|diall)(ed|ing|er|ers)
      | (
            capital|categor|character|custom|emphas|equal|factor|familiar|final|formal|general|harmon|initial|linear
          | local|marginal|maxim|memor|minim|neutral|normal|optim|organ|parallel|parameter|penal|priorit|quant|random
          | real|recogn|regular|reparameter|serial|special|standard|stabil|summar|symbol|symmetr|synchron|token|util
          | vector|visual
        )is(e|ed|er|ers|es|ing|ation|ations|able)
      | unnormalised | catalogues? | programmes?
      | grey\w* | (de|of)fence | licences? | practis(e|ed|es|ing) | artefacts?
      | judgement\w* | ageing | fulfils? | enrols? | sceptic\w* | learnt | spelt | burnt | dreamt | whilst | amongst
      | towards | mould\w* | skilful\w* | wilful\w* | tyres? | cheques? | pretence
    )\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def british(text: str) -> list[str]:
    """The British forms in a text."""
    return [match[0] for match in BRITISH.finditer(text)]


def prose(source: str) -> Iterator[str]:
    """The docstrings and the comments of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Documented):
            yield ast.get_docstring(node, clean=False) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_are_spelled_as_in_america(page: Path) -> None:
    found = british(page.read_text(encoding="utf-8"))
    assert not found, f"{page.relative_to(ROOT)}: American spelling is the house's: {found}"


def test_docstrings_and_comments_are_spelled_as_in_america() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in python_files()
        for text in prose(path.read_text(encoding="utf-8"))
        for word in british(text)
    ]
    assert not found, f"American spelling is the house's: {found}"


def test_the_list_knows_what_it_looks_for() -> None:
    caught = "behaviour Colours centre analysed modelling labelled minimise normalisation neighbouring towards whilst"
    assert british(caught) == caught.split()
    free = "behavior center analyses exercise raise noise precise model labeled four hour metric promised advise toward"
    assert british(free) == []


def test_values_are_free() -> None:
    assert [british(text) for text in prose('"""A colour."""\nx = "colour"  # in grey\n')] == [["colour"], ["grey"]]
