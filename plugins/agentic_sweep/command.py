"""`agentic sweep`: one experiment on many seeds and with many values, in processes here or on other machines."""

import json
from shlex import quote
from typing import TYPE_CHECKING

import click

from agentic.cli import answer, find_nearby, following, json_option, say, show_table, with_executor, with_registry
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic.jobs import Executor
    from agentic_sweep import Swept


@click.command()
@click.argument("file", type=click.Path())
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override one setting; repeatable.")
@click.option("--vary", multiple=True, metavar="KEY=LIST", help="Values to try: planner.horizon=[2,4]; repeatable.")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="So many seeds, in place of those of the file.")
@with_executor
@click.option("--out", default="runs", show_default=True, metavar="FOLDER", help="Where the sweep's folder is made.")
@click.option("--fresh", is_flag=True, help="Do everything anew, in a new folder.")
@with_registry
@json_option("Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Print nothing but the sweep's folder.")
def sweep(
    file: str,
    settings: tuple[str, ...],
    vary: tuple[str, ...],
    seeds: int | None,
    executor: "Executor",
    registry: Registry,
    as_json: bool,
    quiet: bool,
    **where: object,
) -> None:
    """Run an experiment FILE with a table [sweep] once for each choice of values and each seed.

    One that was stopped goes on where it was when the same command is given again.

    \b
    agentic sweep examples/tmaze.toml --vary planner.horizon=[1,2] --seeds 10
    agentic sweep my_sweep.toml --workers 8
    agentic sweep my_sweep.toml --executor ray --ray-address auto
    """
    from agentic_sweep.sweeping import carried_out_sweep, check_built, sweep_folder
    from agentic_sweep.tables import SweepFile

    chosen = SweepFile.load(file, settings, vary=vary, seeds=seeds)
    find_nearby(chosen.worlds)
    check_built(chosen, registry)
    folder = sweep_folder(chosen, str(where["out"]), fresh=bool(where["fresh"]))
    try:
        with following(folder, quiet=quiet) as observer:
            swept = carried_out_sweep(chosen, folder, files=registry.files, executor=executor, observer=observer)
    except KeyboardInterrupt:
        say(f"agentic: {folder} goes on where it is when the same command is given again", err=True)
        raise
    if as_json:
        answer(json.dumps(swept.to_dict(), allow_nan=False))
    elif quiet:
        click.echo(folder)
    else:
        _show(swept)
    for line in swept.broken:
        say(f"failed: {line}", err=True)
    click.get_current_context().exit(1 if swept.broken else 0)


def _show(swept: "Swept") -> None:
    from rich.markup import escape
    from rich.table import Table

    head, *lines = swept.lines()
    table = Table()
    for name in head:
        table.add_column(escape(name))
    for line in lines:
        table.add_row(*map(escape, line))
    show_table(table)
    for note in swept.notes:
        say(note)
    if swept.best:
        say(f"the largest mean return: {swept.best}")
    beside = f"; side by side: agentic compare {quote(str(swept.folder))}"
    say(f"Every run and both tables: {swept.folder}{beside * (len(swept.failed) < len(swept.rows))}")
