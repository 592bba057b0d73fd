"""What the tests of our pages would notice: a page that has every fault."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.chromium import DESKTOP, PHONE, Page, until

FAULTS = """<!doctype html><html lang="en"><head><title>faults</title><style>
body { margin: 0; background: white; color: #111 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }
</style></head><body><h1>Faults</h1><h3>Skips a level</h3><p>Read me.</p>
<p class="faint" style="color: rgb(150 150 150 / 1)">Too faint on white</p>
<div style="overflow-x: auto"><div class="boxed" style="width: 900px">In a box</div></div>
<div class="wide" style="width: 600px">Wide</div><button class="mute"></button><button>Named</button>
<table><td style="max-width: 60px; white-space: nowrap" class="cell">Much too long</td><td>Short</td></table>
<div class="js-plotly-plot" aria-label="A chart">empty</div>
<div class="js-plotly-plot" aria-label="Words" style="width: 200px">
<svg width="200" height="60" fill="currentColor"><text y="20">left</text>
<text y="22" x="10">on it</text><text y="50">below</text><text y="50" x="180">beyond</text></svg></div></body></html>"""


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    path = tmp_path / "faults.html"
    path.write_text(FAULTS)
    return path


def test_faint_text_is_found(page: Page, faults: Path) -> None:
    page.open(faults, scheme="light")
    assert page.faults("faint", 4.5) == ['p.faint "Too faint on white" has 2.96']
    page.prefer("dark")
    assert page.faults("faint", 4.5) == []


def test_only_what_widens_the_page_is_found(page: Page, faults: Path) -> None:
    page.open(faults, PHONE)
    assert page.faults("wide") == ["the page is 600 px wide in 390", "div.wide"]
    page.resize(DESKTOP)
    assert page.faults("wide") == []


def test_what_a_screen_reader_misses_is_found(page: Page, faults: Path) -> None:
    page.open(faults)
    assert page.faults("headings") == ['h3 "Skips a level" after h1']
    assert page.faults("nameless") == ["button.mute"]


def test_an_empty_chart_is_found(page: Page, faults: Path) -> None:
    page.open(faults)
    assert page.faults("undrawn") == ["chart 0 has no drawing", "chart 1 has no drawing"]


def test_words_out_of_place_are_found(page: Page, faults: Path) -> None:
    page.open(faults)
    assert [fault.partition(" is ")[0] for fault in page.faults("spilt")] == ['td.cell "Much too long"']
    assert page.faults("crowded") == ['chart 1 cuts "beyond"', 'chart 1 has "left" on "on it"']


def test_a_picture_shows_a_part_of_the_page_that_is_below_the_window(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "tall.html"
    path.write_text(
        "<!doctype html><title>tall</title><body style='margin: 1200px 0 0; height: 50px; background: red'>"
    )
    page.open(path)
    picture = Image.open(BytesIO(page.picture(1000, 250, 100)))
    assert picture.size == (100, 250)
    assert picture.convert("RGB").getcolors() == [(100 * 250, (255, 0, 0))]


@pytest.mark.parametrize(
    ("script", "message"),
    [("throw new Error('broken')", "broken"), ("console.error('loud')", "loud"), ("missing()", "not defined")],
)
def test_errors_are_heard(page: Page, tmp_path: Path, script: str, message: str) -> None:
    path = tmp_path / "broken.html"
    path.write_text(f"<!doctype html><title>broken</title><script>{script}</script>")
    page.open(path)
    assert re.search(message, page.errors()[0])
    assert page.errors() == []


@pytest.mark.parametrize(
    ("body", "address"),
    [
        ('<img src="https://example.org/x.png">', "https://example.org/x.png"),
        ('<link rel="stylesheet" href="https://example.org/x.css">', "https://example.org/x.css"),
        ('<script>fetch("https://example.org/x").catch(() => 0)</script>', "https://example.org/x"),
        ('<script>new WebSocket("ws://example.org/x")</script>', "ws://example.org/x"),
    ],
)
def test_requests_are_seen(page: Page, tmp_path: Path, body: str, address: str) -> None:
    path = tmp_path / "asks.html"
    path.write_text(f"<!doctype html><title>asks</title>{body}")
    page.open(path)
    assert page.foreign_requests() == [address]
    assert "ERR_NAME_NOT_RESOLVED" in until(page.errors, "an error that the name is not known")[0]
