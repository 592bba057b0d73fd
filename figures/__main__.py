"""`python -m figures [NAME ...]`: draw the pictures named, or all, into docs/pictures."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import click
import matplotlib

import figures

HERE = Path(__file__).parent
NAMES = [module.name for module in iter_modules(figures.__path__) if module.name not in ("__main__", "style")]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[NAME ...]")
@click.option("--out", default=HERE.parent / "docs" / "pictures", type=Path, help="Where the SVG files go.")
def main(names: tuple[str, ...], out: Path) -> None:
    """Draw the pictures NAMED, or all of them; each module here draws what its `draw(folder)` says."""
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "agentic"  # the same numbers give the same bytes
    out.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        for path in import_module(f"figures.{name}").draw(out):
            click.echo(path)


main()
