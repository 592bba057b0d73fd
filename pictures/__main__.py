"""`python -m pictures [BENCH]`: the README's table and the picture of the report, of a given bench or of a new one."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pictures import report, table

ROOT = Path(__file__).parents[1]


@click.command()
@click.argument("bench", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--readme", default=ROOT / "README.md", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", default=ROOT / "docs" / "pictures" / "report.png", type=click.Path(dir_okay=False, path_type=Path)
)
def main(bench: Path | None, readme: Path, out: Path) -> None:
    """Put the table of a BENCH folder into the README and draw its report; without one, run the demo's bench first."""
    with TemporaryDirectory() as folder:
        bench = bench or run(Path(folder))
        shown = table.put(readme.read_text(encoding="utf-8"), table.tables(bench))
        click.echo(report.draw(bench, out))
        readme.write_text(shown, encoding="utf-8")
        click.echo(readme)


def run(folder: Path) -> Path:
    """The folder of the demo's bench, run anew in `folder`; its seeds are fixed."""
    subprocess.run([sys.executable, "-m", "agentic", "demo", "--out", str(folder)], check=True)
    return next(path.parent for path in folder.glob("*/cells.json"))


main()
