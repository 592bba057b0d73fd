"""`agentic compare`: runs side by side, grouped by what differs apart from the seed."""

import json
import webbrowser
from math import isfinite, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agentic.cli import RUN, answer, json_option

if TYPE_CHECKING:
    from agentic_report.comparing.comparison import Comparison
    from agentic_report.comparing.groups import Group

PAGE = "comparison.html"
WIDTH = 50  # characters of a curve


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=RUN)
@click.option("--where", multiple=True, metavar="KEY=VALUE", help="Only those, as of `agentic runs`.")
@click.option(
    "--by", multiple=True, metavar="KEY", help="What makes a group, as agent.name; by default all but the seed."
)
@click.option("--column", default="return", show_default=True, help="Of the ticks, as energy.free_energy.")
@click.option("--window", type=click.IntRange(min=1), metavar="STEPS", help="Smooth over so many; a 20th if left out.")
@click.option("--iqm", is_flag=True, help="Interquartile means with a bootstrap over seeds, in place of means.")
@click.option("--html", metavar="FILE", type=click.Path(dir_okay=False), help="Write a page that needs nothing else.")
@click.option("--open", "opened", is_flag=True, help=f"Show the page in the browser; {PAGE} if no file is named.")
@json_option("Print one JSON object and nothing else.")
def compare(
    runs: tuple[str, ...],
    where: tuple[str, ...],
    by: tuple[str, ...],
    column: str,
    window: int | None,
    iqm: bool,
    html: str | None,
    opened: bool,
    as_json: bool,
) -> None:
    """Compare runs in one environment: curves, what they earned, and by how much they differ, over seeds.

    RUN is the folder of a run, or of many: runs/, a sweep, a bench. Nothing is run.

    \b
    agentic compare runs/0001-cartpole-v1-energy runs/0002-cartpole-v1-random
    agentic compare runs --where env=CartPole-v1 --html comparison.html
    """
    from agentic_report.comparing.comparison import compare as compared

    found = compared([*runs], where=where, by=by, column=column, window=window, iqm=iqm)
    page = None
    if html is not None or opened:
        from agentic_report.comparing.page import write_page

        page = write_page(found, Path(html or PAGE), command_of(runs, where, by, column, window, iqm))
    if as_json:
        answer(json.dumps(found.to_dict() | ({} if page is None else {"page": str(page)}), allow_nan=False))
    else:
        show(found, page)
    if opened and page is not None:
        webbrowser.open(page.resolve().as_uri())


def command_of(
    runs: tuple[str, ...], where: tuple[str, ...], by: tuple[str, ...], column: str, window: int | None, iqm: bool
) -> str:
    """The command line that compares the same."""
    from shlex import join

    options = [
        *(part for each in where for part in ("--where", each)),
        *(part for each in by for part in ("--by", each)),
    ]
    options += ["--column", column] if column != "return" else []
    options += ["--window", str(window)] if window is not None else []
    return join(["agentic", "compare", *runs, *options, *(["--iqm"] if iqm else [])])


def show(found: "Comparison", page: Path | None) -> None:
    """Print a comparison as tables."""
    from rich.markup import escape
    from rich.table import Table

    from agentic.cli import say, show_table

    say(f"{found.env}: {', '.join(map(_counted, found.groups))}")
    _curves(found)
    table = Table(
        *found.head, title=f"{escape(found.outcome)}, {found.statistic.name} over seeds", title_justify="left"
    )
    for line in found.lines():
        table.add_row(*map(escape, line))
    show_table(table)
    if len(found.groups) > 1:
        say(f"intervals: {found.method}")
        differing = Table("what differs", *(escape(group.label) for group in found.groups))
        for line in found.settings():
            differing.add_row(*map(escape, line))
        show_table(differing)
    for note in found.notes:
        say(f"agentic: {note}", err=True)
    if page is not None:
        say(page)


def _counted(group: "Group") -> str:
    seeds, runs = len(group.sources), len(group.trials)
    return f"{group.label} ({seeds}{f' of {runs} runs' if runs > seeds else ''})"


def _curves(found: "Comparison") -> None:
    from rich.markup import escape
    from rich.table import Table

    from agentic.cli import console, number, show_table, sparkline

    drawn = [[each.value for each in curve] for curve in found.curves]
    known = [value for curve in drawn for value in curve if isfinite(value)]
    if not known:
        return
    ends = (min(known), max(known))
    title = f"{found.caption}; bars from {number(ends[0])} to {number(ends[1])}"
    table = Table("group", "seeds", "curve", "first", "last [95 %]", title=escape(title), title_justify="left")
    for group, curve, values in zip(found.groups, found.curves, drawn, strict=True):
        there = [each for each in curve if not isnan(each.value)]
        bars = sparkline([value if isfinite(value) else nan for value in values], console().encoding, WIDTH, ends)
        last = there[-1] if there else None
        low, high = last.ends if last else (None, None)
        around = "" if low is None or high is None else f" [{number(low)}, {number(high)}]"
        cells = [number(there[0].value), f"{number(last.value)}{around}"] if last else ["-", "-"]
        table.add_row(escape(group.label), group.counted, bars.replace("?", " "), *map(escape, cells))
    show_table(table)
