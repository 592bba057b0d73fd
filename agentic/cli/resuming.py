"""`agentic run --resume`: a run that goes on where it stopped."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from agentic.errors import UserError, listed

if TYPE_CHECKING:
    from agentic.experiments.again import Resumption
    from agentic.experiments.experiment import Experiment
    from agentic.plugins import Registry


class Steps(click.ParamType[str]):
    """A number of steps; one with a plus sign is so many more."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not text.removeprefix("+").removeprefix("-").isdecimal():
            self.fail(f"{value!r} is not a valid integer.", param, ctx)
        return text


def go_on_command(folder: Path, experiment: "Experiment", registry: "Registry") -> str:
    """The command that lets the run in a folder go on, with the options that it takes to build its agent again."""
    from agentic.experiments.trust import untrusted
    from agentic.runs.folder import RunFolder

    trust = " --trust" if any(untrusted(experiment.tables(), registry)) else ""
    return f"agentic run --resume {quote(str(folder))}{RunFolder(folder).plugin_options}{trust}"


def resumption(
    folder: str, steps: str | None, registry: "Registry", *, trust: bool, quiet: bool, given: list[str]
) -> "Resumption":
    """What the options of `agentic run` ask for with --resume. Raises UserError for what does not go with it."""
    from agentic.cli.progress import with_limit
    from agentic.cli.subjects import trusted
    from agentic.experiments.again import Resumption

    if given:
        raise UserError(f"--resume goes on as the run began: leave out {listed(given)}")
    if steps is not None and not steps.startswith("+"):
        raise UserError(f"with --resume, --steps is how many more: write --steps +{steps.removeprefix('-')}")
    experiment = trusted(folder, registry, trust=trust)
    return Resumption.of(folder, with_limit(experiment, registry, quiet=quiet), registry, int(steps or 0))
