"""The profile in a bench's report as a picture: a screenshot with a palette, small enough for a repository."""

from collections.abc import Callable
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
    path.parent.mkdir(parents=True, exist_ok=True)
    return taken(lambda folder: agentic.report(bench, out=folder / "report.html"), PROFILE, (WIDTH, MOST), path)


def taken(made: Callable[[Path], Path], part: str, size: tuple[int, int], path: Path, margin: int = 8) -> Path:
    """Part of a page that is made in a folder, as a picture of a window's width, and at most as high as that.

    `part` is asked of the page: where the first and the last thing on the picture are. The margin is left out above,
    and put below.
    """
    with TemporaryDirectory() as folder:
        browser = start(Path(folder) / "profile")
        try:
            page = Page(browser)
            page.open(made(Path(folder)), size)
            first, last = page.ask(part)
            top, bottom = first["top"] + margin, last["bottom"] + margin
            shot = page.picture(top, min(bottom - top, size[1]), size[0])
        finally:
            browser.quit()
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
