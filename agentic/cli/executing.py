"""The options of every command that carries out jobs: how many at once, where, and what each may take."""

from collections.abc import Callable
from functools import wraps
from importlib.metadata import entry_points
from typing import Any

import click

from agentic.errors import BREAKS, UserError
from agentic.jobs.executor import Executor, Resources
from agentic.jobs.named import GROUP, executor_class, executor_names


def with_executor(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options --workers, --executor and --resources, and those that executors have of their own.

    The command is given the `executor` that they name, made before anything runs. UserError for what does not fit.
    """
    own, names = _own_options(), executor_names()

    @click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Jobs at once; if left out, all that fit.")
    @click.option("--executor", "name", default=names[0], metavar="NAME", help=f"Where: {', '.join(names)}.")
    @click.option("--resources", default="", metavar="TEXT", help="Of each job, as in cpus=2,gpus=1,memory=4 (GB).")
    @wraps(command)
    def made(workers: int | None, name: str, resources: str, **options: Any) -> Any:
        given = {key: value for key in own if (value := options.pop(key)) is not None}
        for key in given:
            if own[key] != name:
                raise UserError(f"--{key.replace('_', '-')} goes with --executor {own[key]}, and here it is {name}")
        said = {key.removeprefix(f"{name}_"): value for key, value in given.items()}
        crew: Executor = executor_class(name)(workers=workers, resources=Resources.of(resources), **said)
        return command(executor=crew, **options)

    for key, owner in own.items():
        word = executor_class(owner).options[key.removeprefix(f"{owner}_")]
        made = click.option(f"--{key.replace('_', '-')}", key, metavar="TEXT", help=word)(made)
    return made


def _own_options() -> dict[str, str]:
    """The executor that each option belongs to; those of executors that cannot be imported are told when asked for."""
    found = dict[str, str]()
    for name in sorted({point.name for point in entry_points(group=GROUP)}):
        try:
            found |= {f"{name}_{option}": name for option in executor_class(name).options}
        except BREAKS:
            continue
    return found
