"""`agentic runs`: list the runs, benches and sweeps of a folder."""

import csv
import io
import json
from typing import TYPE_CHECKING

import click

from agentic.cli import RUN, answer, json_option, say

if TYPE_CHECKING:
    from agentic_report.listing.finding import Listing


@click.command("runs")
@click.argument("folder", default="runs", metavar="[FOLDER]", type=RUN)
@click.option("--where", multiple=True, metavar="KEY=VALUE", help="Only those; also !=, <, <=, >, >= and env=Cart*.")
@click.option(
    "--sort", default="-number", show_default=True, metavar="[-]KEY", help="By a column; - for largest first."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option(
    "--column", "columns", multiple=True, metavar="KEY", help="A setting to show, as planner.horizon; repeatable."
)
@click.option("--all", "deep", is_flag=True, help="Every run, those in benches and sweeps as well.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@json_option("Print one JSON list and nothing else.")
def runs(
    folder: str,
    where: tuple[str, ...],
    sort: str,
    limit: int | None,
    columns: tuple[str, ...],
    deep: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List the runs, benches and sweeps in FOLDER, the newest first; of a bench or a sweep the runs in it.

    Keys are the columns of --json (number, name, kind, when, agent, env, seed, steps, episodes, return, low, high,
    status, note) and those of experiment files. Of a sweep the settings that vary are shown.

    \b
    agentic runs --where env=CartPole-v1 --where planner.horizon>=3 --sort -return --limit 10
    """
    from agentic_report.listing.finding import find_runs

    found = find_runs(folder, where=where, sort=sort, limit=limit, columns=columns, deep=deep)
    if as_json:
        answer(json.dumps(found.to_dicts(), allow_nan=False))
    elif as_csv:
        answer(_separated(found))
    else:
        _print(found)
    if found.note:
        say(f"agentic: {found.note}", err=True)


def _separated(found: "Listing") -> str:
    from agentic.cli import printable
    from agentic_report.listing.listed import COLUMNS

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*COLUMNS, *found.columns])
    for row in found:
        cells = [*(read(row) for read in COLUMNS.values()), *map(row.value, found.columns)]
        table.writerow(printable(cell) if isinstance(cell, str) else cell for cell in cells)
    return text.getvalue().rstrip("\n")


def _print(found: "Listing") -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    from agentic.cli import show_table
    from agentic_report.listing.places import said_in

    if not len(found):
        place = said_in([found.folder])
        say(f"no such runs in {found.folder}{place and f': {place}'}", err=True)
        return
    table = Table(*(Column(escape(name), overflow="fold") for name in found.head))  # names that are cut look alike
    for line in found.lines():
        table.add_row(*map(escape, line))
    show_table(table)
