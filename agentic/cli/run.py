"""`agentic run`: one experiment, from a file or from an environment's name, recorded in a folder of its own."""

import json
from shlex import quote
from typing import TYPE_CHECKING

import click

from agentic.cli.completing import AGENT, ENVIRONMENT, SETTING
from agentic.cli.plugins import with_registry
from agentic.cli.terminal import answer, json_option, say
from agentic.errors import RunError, listed
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic.experiments.experiment import Experiment


@click.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--env", "env", type=ENVIRONMENT, help="A Gymnasium id or a name of `agentic envs`, in place of a file.")
@click.option("--agent", type=AGENT, help="Another agent in the same world, or a file with one: rule.py, ppo.zip.")
@click.option("--seed", type=int, help="Of every random stream (run.seed).")
@click.option("--envs", type=int, help="Copies of the environment run side by side (run.envs).")
@click.option("--episodes", type=int, help="Evaluated, with learning off (evaluate.episodes).")
@click.option("--steps", type=int, help="Environment steps learned from (learn.steps).")
@click.option("--set", "settings", multiple=True, type=SETTING, help="Override one setting; repeatable.")
@with_registry
@click.option("--out", default="runs", show_default=True, metavar="FOLDER", help="Where the run's folder is made.")
@json_option("Print one JSON object and nothing else.")
@click.option("--quiet", "style", flag_value="quiet", help="Print nothing but the run's folder.")
@click.option("--explain", "style", flag_value="explain", help="Print the experiment file, and run nothing.")
def run(
    file: str | None,
    env: str | None,
    agent: str | None,
    settings: tuple[str, ...],
    registry: Registry,
    out: str,
    as_json: bool,
    style: str | None,
    **flags: int | None,
) -> None:
    """Run an experiment FILE, or for --env ID the example made for it, else what plugins propose.

    \b
    agentic run examples/tmaze.toml
    agentic run --env Taxi --explain
    agentic run --env CartPole-v1 --agent random --episodes 5 --set run.threads=2
    """
    from agentic.cli.progress import with_limit
    from agentic.cli.starting import FLAGS, starting_tables
    from agentic.experiments.experiment import Experiment

    tables, source, reason = starting_tables(file, env, agent, registry, settings)
    given = [f"{FLAGS[name]}={value}" for name, value in flags.items() if value is not None]
    if reason and style != "quiet":
        say("; but here ".join([reason, listed(given)] if given else [reason]), err=True)
    style = "json" if as_json else style or "table"
    experiment = with_limit(Experiment.of(tables, [*settings, *given], source=source), registry, quiet=style == "quiet")
    if style == "explain":
        answer(f"# {reason}\n{experiment.to_toml()}" if reason else experiment.to_toml())
    else:
        _execute(experiment, registry, out, style)


def _execute(experiment: "Experiment", registry: Registry, out: str, style: str) -> None:
    from agentic.cli.beginners import unlearned
    from agentic.cli.progress import progress
    from agentic.cli.tables import result_table
    from agentic.cli.terminal import console
    from agentic.experiments.build import build
    from agentic.metrics.summary import summarize
    from agentic.runs.folder import create_folder

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
        return
    if words := unlearned(experiment, built.agent, built.environment):
        say(f"agentic: {words}", err=True)
    if style == "json":
        answer(json.dumps(summarize(record), allow_nan=False))
    else:
        console().print(result_table(summarize(record)))
