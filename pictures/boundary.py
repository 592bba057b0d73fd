"""`python -m pictures.boundary [RUN]`: the picture of a boundary that was found, of a run saved by `agentic discover`.

Without RUN it is found first, in a network of 28 columns in which it was planted.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

import agentic
from agentic_envs.planted import network
from pictures.report import taken

ROOT = Path(__file__).parents[1]
SIZE = (640, 1400)
PART = "Array(2).fill(document.querySelector('.boundary svg').getBoundingClientRect())"


def found(folder: Path) -> Path:
    """A run as the object in the network would have recorded it."""
    planted = network(0)
    columns = dict(zip(planted.names, planted.values.T, strict=True))
    saved: Path = agentic.discover(columns).save(folder / "found")
    return saved


def draw(run: Path, path: Path) -> Path:
    """The drawing on the page of a run, in light colors."""
    return taken(lambda folder: agentic.report(run, out=folder / "report.html"), PART, SIZE, path, margin=0)


@click.command()
@click.argument("run", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=ROOT / "docs" / "pictures" / "boundary.png", type=click.Path(path_type=Path))
def main(run: Path | None, out: Path) -> None:
    """Draw the boundary of RUN; without one, find one first."""
    with TemporaryDirectory() as folder:
        click.echo(draw(run or found(Path(folder)), out))


if __name__ == "__main__":
    main()
