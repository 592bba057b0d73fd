"""`agentic video`: an episode of a run to look at, with what the agent believed beside the world."""

from pathlib import Path
from typing import Literal

import click

from agentic.cli import RUN, say, with_registry
from agentic.plugins import Registry


@click.command()
@click.argument("run", metavar="RUN", type=RUN)
@click.option(
    "--episode", type=click.IntRange(min=0), default=0, show_default=True, help="In the order of the returns."
)
@click.option("--phase", type=click.Choice(["learn", "evaluate"]), default="evaluate", show_default=True)
@click.option("--out", metavar="FILE", help="A .gif or an .mp4; if left out, a GIF in the run's folder.")
@click.option("--fps", type=click.FloatRange(min=0.1, max=100), default=4.0, show_default=True, help="Steps a second.")
@click.option("--trust", is_flag=True, help="Run what only the folder names: its world.")
@with_registry
def video(
    run: str,
    episode: int,
    phase: Literal["learn", "evaluate"],
    out: str | None,
    fps: float,
    trust: bool,
    registry: Registry,
) -> None:
    """Draw one episode of the folder RUN: the world, made again, with belief, plan and energies beside it.

    \b
    agentic video runs/0001-agentic-tmaze-v0-energy --episode 3 --out maze.gif
    """
    from agentic_exchange.video import make_video

    path = Path(out) if out else Path(run) / f"{phase}-{episode}.gif"
    made = make_video(run, path, registry, episode=episode, phase=phase, fps=fps, trust=trust)
    if made.note:
        say(f"agentic: {made.note}", err=True)
    say(f"{made.path}: {made.frames:,} frames")
