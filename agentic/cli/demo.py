"""`agentic demo`: three worlds in under a minute, each with an energy agent beside chance and a stone."""

import shutil
import sys
from pathlib import Path
from typing import Any

import click

WORLDS = {
    "tmaze": (
        50,
        "One arm holds a reward, the other a punishment, and a cue tells which (right in 95 of 100). Looking costs one "
        "of four steps: the energy agent expects to learn from it, so it looks first and then goes for the reward.",
    ),
    "cartpole": (
        5,
        "The energy agent knows nothing of carts and poles: from the steps of experience shown, it learns a linear "
        "model by exact Bayesian regression and plans with it. An episode ends when the pole falls, or after "
        "500 steps.",
    ),
    "frozenlake": (
        100,
        "On ice every step may slip to the side, and holes end the episode. Planning through the known transition "
        "table, the energy agent reaches the goal as often as the ice allows.",
    ),
}


@click.command()
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random stream.")
@click.option("--out", default="runs", show_default=True, metavar="FOLDER", help="Where the runs' folders are made.")
def demo(seed: int, out: str) -> None:
    """Run an energy agent in three worlds, side by side with a random agent and a rock; takes less than a minute."""
    from agentic.cli import examples
    from agentic.cli.plugins import load_and_report
    from agentic.cli.tables import console

    registry, printed, folders = load_and_report(), console(), []
    for name, (episodes, said) in WORLDS.items():
        settings = [f"run.seed={seed}", f"evaluate.episodes={episodes}"]
        summaries = _compare(examples.example(name), settings, registry, out)
        folders += [summary["run"] for _, summary in summaries]
        printed.print(_table(name, episodes, summaries))
        click.echo(f"{click.wrap_text(said, 100)}\n")
    click.echo(f"Everything that happened is recorded: {folders[0]} to {Path(folders[-1]).name}.\nTo try next:")
    command = _command()
    click.echo(f"  {command} run {examples.example('cartpole-swapped')}    # its two actions swapped: learned as well")
    click.echo(f"  {command} show {folders[3]}    # one run in full")
    click.echo(f"  {command} plugins --provides    # what there is to combine, and where to add your own")


def _command() -> str:
    """How this program is called from here: by its name where the shell finds it, else by the path it has."""
    if shutil.which("agentic") is not None:
        return "agentic"
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _compare(path: Path, settings: list[str], registry: Any, out: str) -> list[tuple[str, dict[str, Any]]]:
    """Each agent's name and the summary of its run."""
    from agentic.build import build, retarget
    from agentic.cli.tables import console
    from agentic.experiment import Experiment
    from agentic.manifest import create_folder
    from agentic.summary import summarize

    experiment = Experiment.load(path, settings)
    summaries = []
    for agent in (experiment.agent.name, "random", "rock"):
        with console(stderr=True).status(f"{experiment.env.id}: {agent}"):
            built = build(retarget(experiment, agent, registry), registry)
            record = built.run(create_folder(out, f"{experiment.env.id}-{agent}"))
        summaries.append((agent, summarize(record)))
    return summaries


def _table(world: str, episodes: int, summaries: list[tuple[str, dict[str, Any]]]) -> Any:
    from rich.table import Table

    from agentic.cli.tables import number, speed, with_interval

    columns = ("agent", f"mean return of {episodes} episodes [95 %]", "steps of experience", "free energy", "steps/s")
    table = Table(*columns, title=world, title_justify="left")
    for agent, summary in summaries:
        energy = number(summary["energy"].get("free_energy"))
        table.add_row(agent, with_interval(summary["return"]), f"{summary['steps']:,}", energy, speed(summary))
    return table
