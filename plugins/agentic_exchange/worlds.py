"""The world of a recorded run, made again."""

from pathlib import Path

from agentic import Environment
from agentic.cli import check_trusted, find_nearby
from agentic.experiments import limited, recorded, world_again
from agentic.plugins import Registry
from agentic.runs import RunFolder


def world_of_run(folder: str | Path, registry: Registry, *, trust: bool, **more: str) -> Environment:
    """One row of the world that the run in a folder was in, with `more` arguments, as render_mode.

    Raises UserError where its folder has no experiment, and where that names what is not trusted.
    """
    experiment = recorded(folder)
    check_trusted(experiment, registry, str(RunFolder(folder).experiment_file), trust=trust)
    find_nearby(experiment.env.names)
    return world_again(limited(experiment, registry), registry, **more)
