"""Notebooks are executed, without warnings, and print what the pages show."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.house.repository import ROOT
from website.notebooks import markdown

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LARGEST = 60_000  # bytes of a notebook with what it prints


def texts(notebook: Any) -> list[str]:
    """What the cells print and show, but for pictures and whatever names an object of one process."""
    found = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            assert output.get("name") != "stderr", output
            text = output.get("text") or output["data"]["text/plain"]
            found.append(text if isinstance(text, str) else "".join(text))
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_prints_what_the_page_shows(path: Path) -> None:
    for needed in ("nbclient", "ipykernel"):
        pytest.importorskip(needed)
    from website.execute import executed

    assert texts(executed(path)) == texts(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_page_is_small_and_whole(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    page = markdown(path)
    assert page.startswith("# ")
    assert f"[{path.name}]({path.name})" in page
    assert page.count("```") % 2 == 0
    assert all(
        text.strip() in page for text in texts(json.loads(path.read_text(encoding="utf-8"))) if "<Figure" not in text
    )
