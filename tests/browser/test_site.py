"""The site, built and opened from its files: nothing fails, nothing is asked for outside, it is found and read."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import DESKTOP, PHONE, Page, Scheme, until
from tests.house.repository import ROOT

PAGES = (
    "index.html",
    "tour.html",
    "reference/agentic.engine.html",
    "reference/names.html",
    "sb3.html",
    "notebooks/first_agent.html",
)
READERS: tuple[tuple[Scheme, tuple[int, int]], ...] = (("light", DESKTOP), ("dark", PHONE))
DRAWN = "[...document.images].every((each) => each.complete && each.naturalWidth)"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with warnings as errors."""
    for needed in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(needed, reason=f"no {needed}: pip install -e '.[docs]' -c constraints.txt")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_can_be_read(page: Page, site: Path) -> None:
    for name in PAGES:
        for scheme, size in READERS:
            page.open(site / name, size, scheme)
            assert page.find("h1").text, name
            assert page.ask("document.documentElement.scrollWidth") <= size[0], f"{name} scrolls sideways at {size[0]}"
            assert not page.errors(), name
            assert not page.foreign_requests(), name
            until(partial(page.ask, DRAWN), f"pictures of {name}")


@pytest.mark.parametrize(
    ("words", "leads_to"), [("empowerment", "metrics.html"), ("value_iteration", "reference/names.html")]
)
def test_pages_are_found_without_a_network(page: Page, site: Path, words: str, leads_to: str) -> None:
    page.open(site / "index.html", DESKTOP)
    field = page.find(".md-search__input")
    page.ask("document.querySelector('.md-search__input').focus()")
    field.send_keys(words, Keys.SPACE)
    found = until(lambda: [each.get_attribute("href") for each in page.all(".md-search-result__link")], "results")
    assert any(leads_to in str(address) for address in found)
