"""`python -m calibration [TOPIC ...]`: every case on at most 400 seeds, as a table; the rates are shown as they are."""

import json
import os
from time import perf_counter

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from calibration.tally import TOPICS, Tally, judged, tallies


@click.command()
@click.argument("topics", nargs=-1, type=click.Choice(TOPICS), metavar="[TOPIC ...]")
@click.option(
    "--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes; no number depends on it."
)
@click.option(
    "--first", type=click.IntRange(0), default=0, show_default=True, help="The first seed: fresh ones follow."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list and nothing else.")
def main(topics: tuple[str, ...], workers: int, first: int, as_json: bool) -> None:
    """Try every case of the TOPICS named, or of all."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers inherit it: more threads than processors are slow
    begin, found = perf_counter(), []
    for tally in tallies(topics or TOPICS, workers, first=first):
        found.append(tally)
        seconds = perf_counter() - begin
        click.echo(f"{seconds:5.0f} s  {tally.topic}: {tally.case.name}, {tally.hits} of {tally.tried}", err=True)
    rows = judged(found)
    if as_json:
        click.echo(json.dumps([row.plain() for row in rows], indent=2))
    else:
        Console(width=150).print(table(rows))


def table(rows: list[Tally]) -> Table:
    """One line per case, a rule between topics."""
    shown = Table(box=SIMPLE_HEAD)
    for name in ("topic", "case", "stated"):
        shown.add_column(name)
    for name in ("nominal", "rate", "hits", "of", "p", "Holm"):
        shown.add_column(name, justify="right")
    for i, row in enumerate(rows):
        last = i + 1 == len(rows) or rows[i + 1].topic != row.topic
        case, rates = row.case, (f"{row.case.nominal:.4f}", f"{row.rate:.4f}", str(row.hits), str(row.tried))
        numbers = (*rates, f"{row.p_value:.2g}", f"{row.adjusted:.2g}")
        shown.add_row(row.topic, case.name, case.stated, *numbers, end_section=last)
    return shown


if __name__ == "__main__":  # workers import this module again
    main()
