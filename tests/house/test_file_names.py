"""The names of files in the folder of a run, or of a bench, each known to one module."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.repository import ROOT

RUN, BENCH = "agentic/runs/folder.py", "plugins/agentic_bench/folder.py"
HOMES = {
    "manifest.json": RUN,
    "experiment.toml": RUN,
    "measurements.json": RUN,
    "error.txt": RUN,
    "discovery.json": RUN,
    ".parquet": RUN,
    "cells.json": BENCH,
    "battery.toml": BENCH,
    "seed-": "agentic/jobs/folder.py",
    "units": "agentic/jobs/folder.py",
    "report.html": "plugins/agentic_report/index.py",
}


def texts(source: str) -> Iterator[str]:
    """The string literals of a module, parts of f-strings included, docstrings left out."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def names(text: str, name: str) -> bool:
    """Whether a literal has the name in it; a whole word must be all of it."""
    return text == name if name.isalpha() else name in text


@cache
def literals() -> dict[Path, frozenset[str]]:
    """The string literals of every module that is installed."""
    files = [path for room in ("agentic", "plugins", "envs") for path in (ROOT / room).rglob("*.py")]
    return {path: frozenset(texts(path.read_text(encoding="utf-8"))) for path in files}


@pytest.mark.parametrize("name", HOMES)
def test_the_name_of_a_file_is_known_to_one_module(name: str) -> None:
    found = {path for path, every in literals().items() if any(names(text, name) for text in every)}
    assert found == {ROOT / HOMES[name]}


def test_a_docstring_may_name_a_file_and_a_part_of_a_text_counts() -> None:
    source = 'def f(i):\n    """Of cells.json."""\n    return f"cells.json {i}"\n'
    assert [names(text, "cells.json") for text in texts(source)] == [True]


def test_homes_exist() -> None:
    assert all(Path(ROOT, home).is_file() for home in HOMES.values())
