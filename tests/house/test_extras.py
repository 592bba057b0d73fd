"""Every extra is there for something: code, tests or benchmarks name it, and pages name no other."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.repository import ROOT, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
TOOLS = ("dev", "tests")  # what `make install` and .ci/run take
IMPORTED = {"inferactively-pymdp": "pymdp"}  # distributions that are imported under another name
PAGES = [path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))]


def words(extra: str) -> Iterator[str]:
    """What names an extra: itself, and the modules of its packages."""
    yield extra
    for each in EXTRAS[extra]:
        name = re.split(r"[\[<>=; ]", each)[0]
        if name != "gymnasium":  # with an extra of its own, which the name of ours says
            yield IMPORTED.get(name, name.replace("-", "_"))


def texts() -> Iterator[tuple[Path, str]]:
    for path in python_files():
        if path != Path(__file__):
            yield path, path.read_text(encoding="utf-8")


def asked_for(text: str) -> set[str]:
    """The extras that a text tells to install: agentic[...], or .[...] in a checkout."""
    found = re.findall(r"(?:agentic|[\"' ]\.)\[([a-z0-9_, -]+)\]", text)
    return {name.strip() for each in found for name in each.split(",")}


@pytest.mark.parametrize("extra", sorted(set(EXTRAS) - set(TOOLS)))
def test_code_names_it(extra: str) -> None:
    pattern = re.compile("|".join(rf"\b{word}\b" for word in words(extra)), re.IGNORECASE)
    assert any(pattern.search(text) for _, text in texts()), f"no code uses the extra {extra}: take it away"


def test_no_page_names_another() -> None:
    read = [*texts(), *((path, path.read_text(encoding="utf-8")) for path in PAGES)]
    lost = {f"{path.relative_to(ROOT)}: {name}" for path, text in read for name in asked_for(text) - set(EXTRAS)}
    assert not lost


def test_what_is_asked_for_is_read() -> None:
    assert asked_for("pip install 'agentic[sb3]', or pip install -e \".[dev,tests]\"") == {"sb3", "dev", "tests"}
