"""`python -m pictures.boundary [RUN]`: the picture of a boundary that was found, of a run saved by `agentic discover`.

Without RUN it is found first, in a network of 28 columns in which it was planted.
"""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from PIL import Image

import agentic
from agentic_envs.planted import network
from pictures.report import small
from tests.browser.chromium import Page, start

ROOT = Path(__file__).parents[1]
SIZE = (640, 1400)
DRAWING = "document.querySelector('.boundary svg').getBoundingClientRect()"


def found(folder: Path) -> Path:
    """A run as the object in the network would have recorded it."""
    planted = network(0)
    columns = dict(zip(planted.names, planted.values.T, strict=True))
    saved: Path = agentic.discover(columns).save(folder / "found")
    return saved


def draw(run: Path, path: Path) -> Path:
    """The drawing on the page of a run, in light colors."""
    with TemporaryDirectory() as folder:
        browser = start(Path(folder) / "profile")
        try:
            page = Page(browser)
            page.open(agentic.report(run, out=Path(folder) / "report.html"), SIZE)
            place = page.ask(DRAWING)
            shot = page.picture(place["top"], place["height"], SIZE[0])
        finally:
            browser.quit()
    path.write_bytes(small(Image.open(BytesIO(shot)).convert("RGB")))
    return path


@click.command()
@click.argument("run", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=ROOT / "docs" / "pictures" / "boundary.png", type=click.Path(path_type=Path))
def main(run: Path | None, out: Path) -> None:
    """Draw the boundary of RUN; without one, find one first."""
    with TemporaryDirectory() as folder:
        click.echo(draw(run or found(Path(folder)), out))


if __name__ == "__main__":
    main()
