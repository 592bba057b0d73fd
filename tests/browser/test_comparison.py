"""The page of a comparison as readers meet it: curves with bands, tables that fit, nothing asked for outside."""

from pathlib import Path

import pytest

from agentic_report import compare
from agentic_report.comparing.page import write_page
from tests.browser.chromium import DESKTOP, PHONE, Page, Scheme
from tests.report.folders import STRANGE
from tests.report.made_runs import made_run

READERS = [("light", DESKTOP), ("dark", PHONE)]
GROUPS = 3


@pytest.fixture(scope="session")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of three agents on five seeds, one of them of a strange name."""
    folder = tmp_path_factory.mktemp("compared")
    for place, name in enumerate(("rock", STRANGE, "energy")):
        for seed in range(5):
            learned = [place * step / 10 + seed % 2 for step in range(20)]
            tables = {"agent": {"name": name}, "planner": {"name": "tree", "horizon": place + 1}}
            made_run(folder / "runs" / f"{place}-{seed}", [place * 2.0 + seed], learned, seed=seed, agent=tables)
    return write_page(compare(folder / "runs"), folder / "comparison.html", "agentic compare runs")


@pytest.mark.parametrize(("scheme", "size"), READERS)
def test_everything_can_be_read(page: Page, comparison: Path, scheme: Scheme, size: tuple[int, int]) -> None:
    page.open(comparison, size, scheme)
    page.unfold()
    for kind, *arguments in (("faint", 4.5), ("wide",), ("spilt",), ("crowded",), ("headings",), ("nameless",)):
        assert page.faults(kind, *arguments) == []
    assert page.browser.title.endswith(" · agentic")


def test_every_group_has_a_line_and_a_band(page: Page, comparison: Path) -> None:
    page.open(comparison)
    assert page.faults("undrawn") == []
    assert len(page.all(".js-plotly-plot .scatterlayer .js-line")) == 2 * GROUPS
    areas = page.ask("[...document.querySelectorAll('.js-plotly-plot .js-fill')].map((each) => each.getBBox().height)")
    assert len(areas) == GROUPS
    assert min(areas) > 1
    assert page.ask("document.querySelectorAll('.js-plotly-plot .legend .traces').length") == GROUPS


def test_a_name_that_is_markup_is_a_text(page: Page, comparison: Path) -> None:
    page.open(comparison)
    assert page.browser.title != "taken"
    assert "<script>document.title …" in page.ask("document.querySelector('.js-plotly-plot .legend').textContent")
    assert page.ask("document.querySelectorAll('table script, svg script, h1 script').length") == 0


def test_the_columns_say_what_they_are(page: Page, comparison: Path) -> None:
    page.open(comparison)
    page.unfold()
    heads = page.all("#outcome table thead th[title]")
    said = page.find("#outcome dl").text
    assert [head.text for head in heads][:3] == ["group", "seeds", "mean [95 %]"]
    assert len(heads) == 6
    assert all((head.get_attribute("title") or "none") in said for head in heads)
