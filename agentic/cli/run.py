"""`agentic run`: one experiment, from a file or from an environment's name, recorded in a folder of its own."""

import json
from collections.abc import Iterable
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from agentic.cli.plugins import with_registry
from agentic.cli.terminal import answer, json_option, say
from agentic.errors import RunError, UserError
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic.experiments.experiment import Experiment


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
    from agentic.experiments.experiment import Experiment

    tables, source, reason = starting_tables(file, env, agent, registry, settings)
    if reason and style != "quiet":
        say(reason, err=True)
    homes = {"seed": "run", "envs": "run", "episodes": "evaluate", "steps": "learn"}
    given = [f"{homes[name]}.{name}={value}" for name, value in flags.items() if value is not None]
    style = "json" if as_json else style or "table"
    experiment = with_limit(Experiment.of(tables, [*settings, *given], source=source), registry, quiet=style == "quiet")
    if style == "explain":
        answer(f"# {reason}\n{experiment.to_toml()}" if reason else experiment.to_toml())
    else:
        _execute(experiment, registry, out, style)


def starting_tables(
    file: str | None, env: str | None, agent: str | None, registry: Registry, settings: Iterable[str] = ()
) -> tuple[dict[str, Any], str, str]:
    """The tables to start from, how to name them in messages, and why these; `settings` may change the environment.

    They are those of a file, of the example made for an environment, or of the best proposal for it.
    """
    from agentic.experiments import examples
    from agentic.experiments.build import retarget
    from agentic.experiments.experiment import Experiment
    from agentic.experiments.toml import read

    if (file is None) == (env is None):
        raise UserError("expected either an experiment file or --env ID, as in `agentic run --env CartPole-v1`")
    source, reason = ("", "as in the example made for it") if file is None else (f"{file}: ", "")
    found = examples.for_environment(env or "", registry) if file is None else read(file)
    if found is None and (agent is None or _of_parts(agent, registry)):
        found, reason = _proposed(env or "", registry, settings)
    if found is None and agent is None:
        raise UserError(
            f"no example was made for {env!r}, and no plugin proposes what to do there: name an agent that needs no "
            f"other table, as in `agentic run --env {quote(env or '')} --agent random{_files(registry)}`"
        )
    if found is None:
        return {"env": {"id": env}, "agent": {"name": agent}}, "", ""
    if agent is not None:
        whole = Experiment.of(found, source=source)
        found, reason = retarget(whole, agent, registry).tables(), reason if whole.agent.name == agent else ""
    taken = found["env"]["id"] if reason else env
    return found, source, f"{env}{f', which is {taken}' if taken != env else ''}: {reason}" if reason else ""


def _files(registry: Registry) -> str:
    """The options that load the same plugin files again."""
    return "".join(f" --plugin {quote(row.location)}" for row in registry.rows if row.source == "file")


def _of_parts(agent: str, registry: Registry) -> bool:
    """Whether an agent needs tables beside its own."""
    from agentic.agents.agent import Agent
    from agentic.experiments.agent_file import with_file
    from agentic.experiments.agent_parts import places
    from agentic.plugins.parameters import accepted

    takes = accepted(with_file(registry, agent).find(Agent, agent, "[agent]")[1])
    return any(place.needed for place in places(takes).values())


def _proposed(env: str, registry: Registry, settings: Iterable[str]) -> tuple[dict[str, Any] | None, str]:
    """The tables of the best proposal for an environment, as `settings` change it, and the reason; None without one."""
    from agentic.experiments.experiment import override
    from agentic.experiments.proposals import propose
    from agentic.experiments.worlds import LIMIT

    tables: dict[str, Any] = {"env": {"id": env, "kwargs": {}}}
    for setting in settings:
        if setting.partition(".")[0].strip() == "env":
            override(tables, setting)
    found = propose(tables["env"], registry)
    if found is None:
        return None, ""
    cut = found.tables["env"]["kwargs"].keys() - tables["env"]["kwargs"].keys()
    said = f"; it has no step limit: its episodes are cut at {LIMIT:,} steps" if cut else ""
    return dict(found.tables), f"{found.reason}{said}"


def _execute(experiment: "Experiment", registry: Registry, out: str, style: str) -> None:
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
    elif style == "json":
        answer(json.dumps(summarize(record), allow_nan=False))
    else:
        console().print(result_table(summarize(record)))
