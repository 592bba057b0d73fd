"""`agentic reproduce`: a run, a bench or a file run again: whether the numbers are the same, and what differs."""

import json
from typing import TYPE_CHECKING

import click

from agentic.cli import RUN, Known, answer, example_names, json_option, say, with_registry
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic_life.reproduction import Reproduction

WHAT = Known("run|bench|file", lambda ctx, incomplete: [*RUN.known(ctx, incomplete), *example_names()], "file")


@click.command()
@click.argument("what", metavar="RUN|BENCH|FILE", type=WHAT)
@click.option("--trust", is_flag=True, help="Run what only the folder names: its files and modules.")
@with_registry
@json_option("Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Show no progress, and print the verdict alone.")
def reproduce(what: str, trust: bool, registry: Registry, as_json: bool, quiet: bool) -> None:
    """Run what is in the folder RUN or BENCH again and compare all numbers; or run a FILE or an example twice.

    The exit code is 0 where all numbers are the same, 1 where they are not.

    \b
    agentic reproduce runs/0001-cartpole-v1-energy
    agentic reproduce examples/tmaze.toml
    """
    from agentic_life.reproducing import Again

    found = Again(registry, trust, quiet).of(what)
    if as_json:
        answer(json.dumps(found.to_dict(), allow_nan=False))
    else:
        _print(found, quiet)
    click.get_current_context().exit(0 if found.same else 1)


def _print(found: "Reproduction", quiet: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    from agentic.cli import number, show_table

    if not quiet:
        for note in found.notes:
            say(f"agentic: {note}", err=True)
        if found.differences:
            apart = Table("what", "then", "now", title="What differs", title_justify="left")
            for each in found.differences:
                apart.add_row(escape(each.what), escape(each.then), escape(each.now))
            show_table(apart)
        else:
            say("What differs: nothing that is recorded of versions, platform, threads, device and components")
        table = Table("number", "outcome", "first", "largest difference", title="Numbers", title_justify="left")
        for one in found.compared:
            outcome = "same" if one.same else one.note or f"{one.differing:,} of {one.rows:,} differ"
            largest = "" if one.largest is None else number(one.largest)
            table.add_row(escape(one.name), escape(outcome), escape(one.first), largest)
        show_table(table)
    say(found.verdict)
