"""`agentic discover`: where the agents are in a recording, and where they begin."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from agentic import UserError
from agentic.cli import answer, console, json_option, number, say, show_table
from agentic.errors import listed

if TYPE_CHECKING:
    from agentic_discovery.discovery import Discovery


@click.command()
@click.argument("recording", metavar="RECORDING", type=click.Path())
@click.option("--order", metavar="ORDER", help="What comes first within a step: 'state<obs<belief<action'.")
@click.option("--objects", default="auto", show_default=True, metavar="N", help="The most to look for in one part.")
@click.option("--lag", type=click.IntRange(min=1), default=1, show_default=True, help="Steps that effects reach back.")
@click.option("--resolution", type=float, default=0.01, show_default=True, help="Of a spread: less is not told apart.")
@click.option("--window", type=click.IntRange(min=2), metavar="STEPS", help="Look in every so many steps as well.")
@click.option("--columns", multiple=True, metavar="NAME", help="Look at these alone: obs, belief.mean[0]; repeatable.")
@click.option("--episode", metavar="COLUMN", help="The column that numbers episodes.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the chains that settle.")
@click.option(
    "--estimator",
    type=click.Choice(["gaussian", "neighbors", "plugin"]),
    default="gaussian",
    show_default=True,
    help="Of couplings: regression, neighbors for any form of dependence, plugin for few values.",
)
@click.option("--particles", metavar="ENDINGS", help="Coordinates that are one particle: 'x,y' for p1.x and p1.y.")
@click.option("--reach", type=float, help="How far forces between particles reach.  [default: fits their distances]")
@click.option("--save", metavar="FOLDER", help="A new run folder: observations are sensors, actions actuators.")
@click.option("--object", "which", type=click.IntRange(min=1), default=1, show_default=True, help="The object to save.")
@click.option("--proposal", is_flag=True, help="Save the roles of least energy even where no boundary is told.")
@json_option("Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def discover(
    recording: str, save: str | None, which: int, proposal: bool, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Tell which columns of a RECORDING are world, sensors, actuators and inside of an object.

    RECORDING is a Parquet, CSV or NPZ file, the folder of a run, or minari:ID. That no boundary is told is an answer,
    too: the reasons are printed, and the exit code is 0.

    \b
    agentic discover recording.parquet
    agentic discover recording.csv --order "state<obs<belief<action" --episode trial
    agentic discover runs/0001-agentic-pointmass-v0-energy --save runs/0002-found
    agentic measure runs/0002-found
    """
    from agentic.runs import RunFolder
    from agentic_discovery.asked import Asked

    options["objects"] = _objects(options["objects"])
    asked = Asked(**options)
    if save is not None and RunFolder(save).holds_run:
        raise UserError(f"{save} already holds a record: give a new folder")  # before minutes of looking
    with _progress(quiet=quiet or as_json) as progress:
        found = asked.of(recording, progress)
    if not as_json:
        _show(found)  # before it is saved, which may fail
    kept = save is not None and (found.detected or proposal)
    saved = found.save(save, which, proposal=proposal) if kept and save is not None else None
    if as_json:
        answer(json.dumps({**found.to_dict(), "folder": saved and str(saved)}))
    elif saved is not None:
        say(f"object {which} is saved as a run in {saved}; next: agentic measure {saved}")
    elif save is not None:
        say(f"nothing is saved in {save}, as no boundary was told; --proposal saves the roles of least energy")


def _objects(given: str) -> int | str:
    if given != "auto" and not given.isdecimal():
        raise UserError(f"--objects is auto or a number from 1 on, got {given!r}")
    return int(given) if given.isdecimal() else given


def _show(found: "Discovery") -> None:
    from rich.table import Table

    say(found)
    table = Table(title=_title(found))
    for head in ("column", "object", "role", "probability", "part"):
        table.add_column(head, justify="right" if head in ("object", "probability", "part") else "left")
    for role in sorted(found.roles, key=lambda role: (role.object == 0, role.object, ORDER.index(role.role))):
        sure = f"{role.probability:.2f}"
        table.add_row(role.column, str(role.object or ""), role.role, sure, str(role.part or ""))
    show_table(table)
    names = [role.column for role in found.roles]
    for other in found.alternatives[:3] if found.detected else ():
        changed = [
            f"{name} {word}"
            for name, role, word in zip(names, found.roles, other.roles, strict=True)
            if role.role != word
        ]
        turned = [MIRRORED[role.role] for role in found.roles] == list(other.roles)
        many = f"{len(changed)} columns otherwise" if len(changed) > len(names) / 2 else listed(changed)
        say(f"{number(other.more)} nats more: {'inside and world exchanged' if turned else many}")
    for window in found.windows:
        words = [sum(role == word for role in window.roles) for word in ORDER[:3]]
        line = f"{words[0]} sensors, {words[1]} actuators, {words[2]} inside"
        say(f"steps {window.first} to {window.last - 1}: {line}, evidence {number(window.evidence)} nats")
    for caution in found.cautions:
        say(f"caution: {caution}")


MIRRORED = {
    "world": "inside",
    "sensor": "actuator",
    "actuator": "sensor",
    "inside": "world",
    "boundary": "boundary",
}

ORDER = ("sensor", "actuator", "inside", "boundary", "world")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Bars on a terminal, on standard error; nothing elsewhere."""
    out = console(stderr=True)
    if quiet or not out.is_terminal:
        yield lambda stage, done, total: None
        return
    from rich.progress import Progress

    with Progress(console=out, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield tell


def _title(found: "Discovery") -> str:
    if found.detected:
        return ""
    some = any(role.object for role in found.roles)
    return "least energy, which is no more than a proposal" if some else "least energy: all is world"
