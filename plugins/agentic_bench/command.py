"""`agentic bench`: agents side by side on a profile of agency metrics, in worlds and in these worlds changed."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from agentic.cli import Known, answer, find_nearby, following, json_option, say, with_executor, with_registry
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic.jobs import Executor
    from agentic_bench import Battery, Scores


def _labels(ctx: click.Context, _: str) -> Iterator[str]:
    """The labels of the agents in the file that is given."""
    with open(ctx.params["file"], "rb") as file:
        for agent in tomllib.load(file)["agents"]:
            yield agent.get("label") or agent["name"]


LABEL = Known("name", _labels)


@click.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--agent", "agents", multiple=True, type=LABEL, help="Only this agent of the file; repeatable.")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="So many seeds, in place of those of the file.")
@with_executor
@click.option("--out", default="runs", show_default=True, metavar="FOLDER", help="Where the bench's folder is made.")
@click.option("--fresh", is_flag=True, help="Do everything anew, in a new folder.")
@with_registry
@json_option("Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Print nothing but the bench's folder.")
def bench(
    file: str | None,
    agents: tuple[str, ...],
    seeds: int | None,
    executor: "Executor",
    out: str,
    fresh: bool,
    registry: Registry,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure the agents of a bench FILE side by side; without one, those of the battery that comes with agentic.

    One that was stopped goes on where it was when the same command is given again.

    \b
    agentic bench --agent planner-40 --agent clone
    agentic bench my_bench.toml --seeds 10 --workers 8
    """
    from agentic.experiments import example
    from agentic_bench import Battery, bench, bench_folder, check

    battery = Battery.load(file or example("bench/battery")).only(agents, seeds)
    find_nearby(name for task in battery.tasks() for name in task.experiment.env.names)
    check(battery, registry)
    folder = bench_folder(battery, out, fresh=fresh)
    try:
        with following(folder, quiet=quiet) as observer:
            scores = bench(battery, folder, files=registry.files, observer=observer, executor=executor)
    except KeyboardInterrupt:
        say(f"agentic: {folder} goes on where it is when the same command is given again", err=True)
        raise
    if as_json:
        answer(json.dumps(scores.to_dict(), allow_nan=False))
    elif quiet:
        click.echo(folder)
    else:
        show(battery, scores, folder)
    for line in scores.broken:
        say(f"failed: {line}", err=True)
    click.get_current_context().exit(1 if scores.broken else 0)


def show(battery: "Battery", scores: "Scores", folder: Path) -> None:
    """Print the table of each world, and what its signs mean."""
    from agentic.cli import show_table
    from agentic_bench.scores import LEGEND, score_tables, unmeasured

    for world in battery.worlds:
        if world.name in scores.worlds:
            for table in score_tables(world.name, world.about, scores):
                show_table(table)
    say(LEGEND)
    for line in unmeasured(scores):
        say(f"nothing was measured of {line}")
    say(f"Every number, run and seed: {folder}; as a page: agentic report {quote(str(folder))}")
