"""`agentic export`: what a run recorded, as a data set that others read."""

import json
from typing import Literal

import click

from agentic.cli import RUN, answer, json_option, say, with_registry
from agentic.errors import listed
from agentic.plugins import Registry


@click.command()
@click.argument("run", metavar="RUN", type=RUN)
@click.option("--minari", "name", metavar="NAME", required=True, help="As a local Minari data set: mine/tmaze-v0.")
@click.option("--phase", type=click.Choice(["learn", "evaluate"]), default="evaluate", show_default=True)
@click.option("--trust", is_flag=True, help="Run what only the folder names: its world is made for its spaces.")
@with_registry
@json_option("Print one JSON object and nothing else.")
def export(
    run: str, name: str, phase: Literal["learn", "evaluate"], trust: bool, registry: Registry, as_json: bool
) -> None:
    """Export the completed episodes of the folder RUN.

    \b
    agentic export runs/0001-agentic-tmaze-v0-energy --minari mine/tmaze-v0
    agentic measure minari:mine/tmaze-v0
    """
    from agentic import Record
    from agentic_exchange.minari_export import to_minari
    from agentic_exchange.worlds import world_of_run

    world = world_of_run(run, registry, trust=trust)
    try:
        made = to_minari(Record.open(run), name, world, phase=phase)
    finally:
        world.close()
    if as_json:
        answer(json.dumps({**vars(made), "folder": str(made.folder)}))
        return
    say(f"{made.name}: {made.episodes:,} episodes, {made.steps:,} steps in {made.folder}")
    if made.lost:
        say(f"Minari has no place for: {listed(made.lost)}")
