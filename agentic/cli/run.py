"""`agentic run`: one experiment, from a file or from an environment's name, recorded in a folder of its own."""

import json
from shlex import quote
from typing import Any

import click

from agentic.cli.plugins import with_registry
from agentic.cli.terminal import answer, json_option, say
from agentic.errors import RunError, UserError
from agentic.plugins import Registry


@click.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--env", "env", metavar="ID", help="A Gymnasium id or a name of `agentic envs`, in place of a file.")
@click.option("--agent", metavar="NAME", help="Another agent in the same world; tables it has no use for are left out.")
@click.option("--seed", type=int, help="Of every random stream (run.seed).")
@click.option("--envs", type=int, help="Copies of the environment run side by side (run.envs).")
@click.option("--episodes", type=int, help="Evaluated, with learning off (evaluate.episodes).")
@click.option("--steps", type=int, help="Environment steps learned from (learn.steps).")
@click.option("--set", "settings", multiple=True, metavar="TABLE.KEY=VALUE", help="Override one setting; repeatable.")
@with_registry
@click.option("--out", default="runs", show_default=True, metavar="FOLDER", help="Where the run's folder is made.")
@json_option("Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Print nothing but the run's folder.")
def run(
    file: str | None,
    env: str | None,
    agent: str | None,
    settings: tuple[str, ...],
    registry: Registry,
    out: str,
    as_json: bool,
    quiet: bool,
    **flags: int | None,
) -> None:
    """Run an experiment FILE, or the example made for the environment --env ID.

    \b
    agentic run examples/tmaze.toml
    agentic run --env CartPole-v1 --agent random --episodes 5 --set run.threads=2
    """
    tables, source = starting_tables(file, env, agent, registry)
    homes = {"seed": "run", "envs": "run", "episodes": "evaluate", "steps": "learn"}
    given = [f"{homes[name]}.{name}={value}" for name, value in flags.items() if value is not None]
    _execute(tables, [*settings, *given], source, registry, out, "json" if as_json else "quiet" if quiet else "table")


def starting_tables(
    file: str | None, env: str | None, agent: str | None, registry: Registry
) -> tuple[dict[str, Any], str]:
    """The tables to start from, and how to name them in messages."""
    from agentic.agents.agent import Agent
    from agentic.experiments import examples
    from agentic.experiments.build import retarget
    from agentic.experiments.experiment import Experiment
    from agentic.experiments.toml import read

    if (file is None) == (env is None):
        raise UserError("expected either an experiment file or --env ID, as in `agentic run --env CartPole-v1`")
    found = read(file) if file is not None else examples.for_environment(env or "", registry)
    if found is None:
        if agent is None:
            known = ", ".join(registry.satisfying(Agent))
            raise UserError(f"no example was made for {env!r}: name an agent too, with --agent: {known}")
        return {"env": {"id": env}, "agent": {"name": agent}}, ""
    if agent is not None:
        found = retarget(Experiment.of(found, source=f"{file}: " if file else ""), agent, registry).tables()
    return found, f"{file}: " if file else ""


def _execute(
    tables: dict[str, Any], settings: list[str], source: str, registry: Registry, out: str, style: str
) -> None:
    from agentic.cli.progress import progress, with_limit
    from agentic.cli.tables import result_table
    from agentic.cli.terminal import console
    from agentic.experiments.build import build
    from agentic.experiments.experiment import Experiment
    from agentic.metrics.summary import summarize
    from agentic.runs.folder import create_folder

    experiment = with_limit(Experiment.of(tables, settings, source=source), registry, quiet=style == "quiet")
    built = build(experiment, registry)
    folder = create_folder(out, f"{experiment.env.id}-{experiment.agent.name}")
    if style != "quiet":
        say(f"{experiment.env.id}, agent {experiment.agent.name}, seed {experiment.run.seed}", err=True)
    shown = quote(str(folder))
    try:
        with progress(experiment, quiet=style == "quiet") as observer:
            record = built.run(folder, observer)
    except KeyboardInterrupt:
        say(f"agentic: what was recorded is shown by `agentic show {shown}`", err=True)
        raise
    except RunError as error:
        raise RunError(f"{error}; what was recorded before is shown by `agentic show {shown}`") from error
    if style == "quiet":
        click.echo(folder)
    elif style == "json":
        answer(json.dumps(summarize(record), allow_nan=False))
    else:
        console().print(result_table(summarize(record)))
