"""Every kind of plugin has its page, of one shape; the checks that a page lists are those of the kit."""

import re
from pathlib import Path

import pytest

from agentic import load
from agentic.cli import main
from agentic.cli.plugin_kinds import TEMPLATES
from agentic.testing import checks
from agentic.testing.kit import PARTS
from tests.house.repository import ROOT

HEADINGS = [
    "The contract",
    "The smallest example",
    "What the kit checks",
    "Common errors",
    "Where it shows up",
]
PAGES = ROOT / "docs" / "plugins"


def section(kind: str, heading: str) -> str:
    """What stands under a heading of the page of a kind."""
    return (PAGES / f"{kind}.md").read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_every_kind_has_a_page() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == set(TEMPLATES)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_page_has_the_one_shape(kind: str) -> None:
    found = re.findall(r"^## (.*)$", (PAGES / f"{kind}.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert found == [*HEADINGS, *(["How to read a Record"] if kind == "metric" else [])]
    contract = section(kind, "The contract").strip().removeprefix("```text\n").removesuffix("\n```")
    assert len(contract.splitlines()) <= 10
    assert ">>> " in section(kind, "The smallest example")
    assert section(kind, "Common errors").count("\n|") >= 4
    assert "plugin-id/name" in section(kind, "Where it shows up")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_the_checks_listed_are_the_kits(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "my-own", "--kind", kind, "--to", str(tmp_path)]) == 0
    component = load(files=[tmp_path / "my_own.py"]).resolve(TEMPLATES[kind], "my_own/my-own")
    named = {check.name for check in checks(TEMPLATES[kind], component)}
    parts = {name for name in named if name.startswith(PARTS)}
    own, _, inner = section(kind, "What the kit checks").partition("with that before the name")
    assert set(re.findall(r"^- `(\w+)`", own, re.MULTILINE)) == named - parts
    assert {part + name for part in PARTS for name in re.findall(r"^- `(\w+)`", inner, re.MULTILINE)} == parts
