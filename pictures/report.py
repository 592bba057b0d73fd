"""The profile in a bench's report as a picture: a screenshot with a palette, small enough for a repository."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

import agentic
from tests.browser.chromium import Page, start

WIDTH = 1200
MOST = 1600  # pixels of height
BYTES = 400_000
PROFILE = """
[document.querySelector("#profile h2"), document.querySelector("table.profile").closest(".box")]
  .map((part) => part.getBoundingClientRect())
"""


def draw(bench: Path, path: Path) -> Path:
    """The profile in light colors, from its heading to the end of its first table, at most MOST pixels high."""
    with TemporaryDirectory() as folder:
        browser = start(Path(folder) / "profile")
        try:
            page = Page(browser)
            page.open(agentic.report(bench, out=Path(folder) / "report.html"), (WIDTH, MOST))
            head, table = page.ask(PROFILE)
            top, bottom = head["top"] + 8, table["bottom"] + 8
            shot = page.picture(top, min(bottom - top, MOST), WIDTH)
        finally:
            browser.quit()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(small(Image.open(BytesIO(shot)).convert("RGB")))
    return path


def small(picture: Image.Image) -> bytes:
    """As a PNG below BYTES: with as many colors as that leaves."""
    for colors in (256, 128, 64, 32):
        file = BytesIO()
        picture.quantize(colors, dither=Image.Dither.NONE).save(file, "png", optimize=True)
        if file.tell() < BYTES:
            return file.getvalue()
    raise ValueError(f"expected a picture below {BYTES} bytes with 32 colors, got {file.tell()}: crop it")
