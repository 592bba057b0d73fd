"""`agentic run`: one experiment, from a file or from an environment's name, recorded in a folder of its own."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from agentic.cli.completing import AGENT, ENVIRONMENT, LOGGER, RUN, SETTING
from agentic.cli.plugins import with_registry
from agentic.cli.resuming import Steps, go_on_command, resumption
from agentic.cli.terminal import answer, json_option, say
from agentic.errors import RunError, UserError, listed
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic.experiments.build import Built
    from agentic.experiments.experiment import Experiment
    from agentic.runs.record import Record


@click.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--env", "env", type=ENVIRONMENT, help="A Gymnasium id or a name of `agentic envs`, in place of a file.")
@click.option("--agent", type=AGENT, help="Another agent in the same world, or a file with one: rule.py, ppo.zip.")
@click.option("--seed", type=int, help="Of every random stream (run.seed).")
@click.option("--envs", type=int, help="Copies of the environment run side by side (run.envs).")
@click.option("--device", metavar="NAME", help="Where agents compute: cpu, cuda, cuda:1, mps (run.device).")
@click.option("--episodes", type=int, help="Evaluated, with learning off; 0 for none (evaluate.episodes).")
@click.option("--steps", type=Steps(), help="Environment steps learned from (learn.steps); with --resume +N more.")
@click.option(
    "--logger",
    "loggers",
    multiple=True,
    type=LOGGER,
    help="Log to it too, as tensorboard; repeatable. Its parameters: --set loggers.tensorboard.flush_seconds=2",
)
@click.option("--resume", metavar="RUN", type=RUN, help="Go on with the run of a folder, where it stopped.")
@click.option("--trust", is_flag=True, help="With --resume: run what only the folder names.")
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
    **flags: Any,
) -> None:
    """Run an experiment FILE, or for --env ID the example made for it, else what plugins propose.

    \b
    agentic run examples/tmaze.toml
    agentic run --env Taxi --explain
    agentic run --env CartPole-v1 --agent random --episodes 5 --set run.threads=2
    agentic run --resume runs/0001-cartpole-v1-energy --steps +500
    """
    style = "json" if as_json else style or "table"
    resume, trust, loggers = flags.pop("resume"), flags.pop("trust"), flags.pop("loggers")
    if trust and resume is None:
        raise UserError("--trust goes with --resume: what a file names that you name yourself is run anyway")
    if resume is not None:
        named = {
            "FILE": file,
            "--env": env,
            "--agent": agent,
            "--set": settings,
            "--logger": loggers,
            **{f"--{name}": value for name, value in flags.items()},
        }
        given = [name for name, value in named.items() if value not in (None, ()) and name != "--steps"]
        given += [name for name, is_given in (("--explain", style == "explain"), ("--out", out != "runs")) if is_given]
        steps, quiet = named["--steps"], style == "quiet"
        going = resumption(resume, steps, registry, trust=trust, quiet=quiet, given=given)
        _live(going.built, going.folder.path, registry, going.run, style, going.words)
        return
    from agentic.cli.progress import with_limit
    from agentic.cli.starting import FLAGS, logging_to, starting_tables
    from agentic.experiments.experiment import Experiment

    tables, source, reason = starting_tables(file, env, agent, registry, settings)
    tables = logging_to(loggers, tables)
    given = [*settings, *(f"{FLAGS[name]}={value}" for name, value in flags.items() if value is not None)]
    last = {each.partition("=")[0].strip(): each for each in given}  # the later wins: a flag over --set
    reason = f"{reason}; but here {listed(list(last.values()))}" if reason and given else reason
    if reason and style != "quiet":
        say(reason, err=True)
    experiment = with_limit(Experiment.of(tables, given, source=source), registry, quiet=style == "quiet")
    if style == "explain":
        answer(f"# {reason}\n{experiment.to_toml()}" if reason else experiment.to_toml())
    else:
        _execute(experiment, registry, out, style)


def _execute(experiment: "Experiment", registry: Registry, out: str, style: str) -> None:
    from agentic.experiments.build import build
    from agentic.runs.folder import create_folder

    built = build(experiment, registry).with_loggers(registry)
    folder = create_folder(out, f"{experiment.env.id}-{experiment.agent.name}")
    try:
        _live(built, folder, registry, partial(built.run, folder), style)
    except BaseException:
        with suppress(OSError):  # it stays where the run wrote something
            folder.rmdir()
        raise


def _live(
    built: "Built", folder: Path, registry: Registry, go: Callable[..., "Record"], style: str, words: str = ""
) -> None:
    """Let a run go to its end, and show what came of it."""
    from agentic.cli.beginners import unlearned
    from agentic.cli.progress import progress
    from agentic.cli.tables import result_table
    from agentic.cli.terminal import console
    from agentic.metrics.summary import summarize

    experiment = built.experiment
    if style != "quiet":
        origin = f" of {experiment.agent.origin}" if experiment.agent.origin else ""
        where = f"{experiment.env.id}, agent {experiment.agent.name}{origin}, seed {experiment.run.seed}"
        say(f"{where}; {words}" if words else where, err=True)
    shown = quote(str(folder))
    try:
        with progress(experiment, quiet=style == "quiet") as observer:
            record = go(observer)
    except KeyboardInterrupt:
        on = go_on_command(folder, experiment, registry)
        say(f"agentic: what was recorded is shown by `agentic show {shown}`, and `{on}` goes on from there", err=True)
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
