"""`agentic report`: a run or a bench as one HTML page that can be sent, or the index of a folder of them."""

import json
import webbrowser
from pathlib import Path
from time import sleep

import click

from agentic.cli import RUN, answer, json_option

SECONDS = 5.0  # between two looks at a run that goes on


@click.command()
@click.argument("folder", default="runs", metavar="[RUN|BENCH]", type=RUN)
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Where; by default within the folder.")
@click.option("--open", "opened", is_flag=True, help="Show the page in the browser.")
@click.option("--follow", is_flag=True, help="Write it again every few seconds, as long as the run goes on.")
@click.option("--trust", is_flag=True, help="Make worlds again that only the folder names, to draw them.")
@json_option("Print one JSON object and nothing else.")
def report(folder: str, out: str | None, opened: bool, follow: bool, trust: bool, as_json: bool) -> None:
    """Write what a run or a bench found as one HTML page that needs nothing else, and print where it is.

    \b
    agentic report runs/0001-agentic-tmaze-v0-energy --open
    agentic report runs/0002-cartpole-v1-energy --follow --open    # while it runs
    agentic report    # the index of all that is in runs/
    """
    from agentic import Record
    from agentic.cli import warn_of
    from agentic.runs import RunFolder
    from agentic_report.listing.listed import is_running
    from agentic_report.writing import report as write

    page = write(folder, out, trust=trust)
    problems = []
    if RunFolder(folder).holds_one:
        record = Record.salvage(folder)
        problems = record.problems
        warn_of(record)
    answer(json.dumps({"report": str(page), "problems": problems}) if as_json else str(page))
    if opened:
        webbrowser.open(page.resolve().as_uri())
    while follow and is_running(Path(folder)):
        sleep(SECONDS)
        write(folder, out, trust=trust)
