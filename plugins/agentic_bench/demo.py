"""`agentic demo`: the bench on a small setting, in about a minute: a table, a page, and what to try next."""

import shutil
import sys
from pathlib import Path
from shlex import quote

import click

from agentic.cli import following, say


@click.command()
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="So many seeds, in place of those of the file.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes; if left out, one for each core.")
@click.option("--out", default="runs", show_default=True, metavar="FOLDER", help="Where the bench's folder is made.")
def demo(seeds: int | None, workers: int | None, out: str) -> None:
    """Measure how much of an agent eleven things are, side by side, and write a page about it; takes about a minute."""
    from agentic import report
    from agentic.experiments import example
    from agentic_bench import Battery, BenchFolder, bench, bench_folder
    from agentic_bench.command import show

    file = example("bench/demo")
    battery = Battery.load(file).only(seeds=seeds)
    folder = bench_folder(battery, out)
    say(f"{battery.bench.about}\n")
    with following(folder, quiet=False) as observer:
        scores = bench(battery, folder, workers=workers, observer=observer)
    show(battery, scores, folder)
    say(f"The same as a page, with curves and a replay of every agent: {report(folder)}\nTo try next:")
    command = quote(_command())
    run = next(each for world in scores.worlds for each in BenchFolder(folder).units(world, "energy").values())
    say(f"  {command} run {quote(str(example('cartpole')))}    # one agent in one world, from an experiment file")
    say(f"  {command} report {quote(str(run))} --open    # that run as a page: what it saw, believed and planned")
    say(f"  {command} bench    # the whole battery: more worlds, agents and metrics; some minutes")


def _command() -> str:
    """How this program is called from here: by its name where the shell finds it, else by the path it has."""
    if shutil.which("agentic") is not None:
        return "agentic"
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
