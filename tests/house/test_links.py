"""Links of the pages to files and headings of the house lead somewhere, and the index has every page."""

import json
import re
from pathlib import Path

import pytest

from tests.house.repository import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def lost_links(text: str, page: Path) -> list[str]:
    """The links of a page's text to files and headings of the house that are not there."""
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
            lost.append(link)
    return lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    lost = lost_links(page.read_text(encoding="utf-8"), page)
    assert not lost, f"{page.relative_to(ROOT)} links to what is not there"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_notebooks_lead_somewhere(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert not lost_links(text, notebook)


def test_lost_links_are_found() -> None:
    text = "[a](lost.md), [b](README.md#lost), [c](https://example.org), [d](README.md), [e](decisions)"
    assert lost_links(text, ROOT / "docs" / "README.md") == ["lost.md", "README.md#lost"]


def test_every_page_is_in_the_index() -> None:
    docs = ROOT / "docs"
    listed = set(re.findall(r"\]\(([^)#]+\.md)\)", (docs / "README.md").read_text(encoding="utf-8")))
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} - {"README.md"}
    assert listed - {"../CONTRIBUTING.md"} == pages
    assert all(f"(notebooks/{path.name})" in (docs / "README.md").read_text(encoding="utf-8") for path in NOTEBOOKS)
