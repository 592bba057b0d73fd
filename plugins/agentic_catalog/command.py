"""`agentic components`: models, goals, solvers, agents, metrics and all others: parameters, and an example table."""

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from agentic.cli import COMPONENTS, answer, json_option, say, with_registry
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic_catalog.entries import Entry
    from agentic_catalog.samples import Samples


HINT = """
All about one, with an example:  agentic components NAME
Those of a kind alone:           agentic components planner"""


@click.command()
@click.argument("what", required=False, metavar="[KIND|NAME]", type=COMPONENTS)
@json_option("A list of components as JSON on standard output.")
@with_registry
def components(what: str | None, as_json: bool, registry: Registry) -> None:
    """List the components there are; of a KIND (model, goal, solver, planner, gain, ...) alone, or all about NAME.

    \b
    agentic components
    agentic components planner
    agentic components cem
    """
    from agentic_catalog.choosing import chosen
    from agentic_catalog.entries import Catalog
    from agentic_catalog.pages import listing, page
    from agentic_catalog.samples import Samples

    catalog = Catalog.of(registry)
    entries, whole = chosen(catalog, what)
    samples = Samples(catalog)
    if as_json:
        answer(json.dumps([_row(samples, each) for each in entries], indent=2))
    elif whole:
        say("\n\n".join(page(samples, each, _width()) for each in entries))
    else:
        say(listing(catalog, entries, _width(), short=what is None))
        also = [each.component.full_name for each in catalog.named(what or "")]
        say("\n" + "\n".join(f"{what} is a name too: agentic components {name}" for name in also) if also else HINT)


def _width() -> int:
    """The columns of the terminal, at most 120; 80 where the output is no terminal."""
    return min(shutil.get_terminal_size().columns, 120) if sys.stdout.isatty() else 80


def _row(samples: "Samples", entry: "Entry") -> dict[str, Any]:
    """The component, where it goes, and an example as TOML; none where it can be used from Python alone."""
    sample = samples.of(entry)
    return {
        **entry.to_dict(),
        "tables": [".".join(path) for path in samples.places.tables(entry)],
        "asked_for_by": [f"{each.name}.{one.name}" for each, one in samples.places.holders(entry)],
        "example": None if sample is None else sample.toml,
        "world": None if sample is None or not sample.world else sample.world,
        "problem": entry.problem or (sample.problem if sample else ""),
    }
