"""`agentic measure`: metrics of a recorded run, or of an agent in a world, each with what is needed to judge it."""

import json
from typing import TYPE_CHECKING, Any

import click

from agentic.cli.completing import AGENT, ENVIRONMENT, METRIC, METRIC_SETTING, RUN
from agentic.cli.plugins import with_registry
from agentic.cli.terminal import answer, json_option, say
from agentic.errors import UserError
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic.cli.subjects import Source
    from agentic.metrics.profile import Row


@click.command()
@click.argument("run", required=False, metavar="[RUN]", type=RUN)
@click.option("--env", type=ENVIRONMENT, help="Measure an agent in this environment, in place of a RUN.")
@click.option("--agent", type=AGENT, help="Which agent; if left out, that of `agentic run --env`.")
@click.option("--metric", "names", multiple=True, type=METRIC, help="Repeatable; if left out, all that apply.")
@click.option("--set", "settings", multiple=True, type=METRIC_SETTING, help="A metric's parameter; repeatable.")
@click.option("--against", type=RUN, help="A second run to compare with.")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="With --env: so many seeds, from --seed on.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every random stream.")
@click.option("--episodes", type=click.IntRange(min=1), metavar="N", help="With --env: evaluated on each seed.")
@click.option("--trust", is_flag=True, help="Run what only the folder of a RUN names: its files and modules.")
@click.option("--no-references", is_flag=True, help="Leave out what a rock and a random agent score.")
@with_registry
@json_option("Print a list of measurements and nothing else.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def measure(
    against: str | None,
    names: tuple[str, ...],
    settings: tuple[str, ...],
    seed: int,
    no_references: bool,
    registry: Registry,
    as_json: bool,
    quiet: bool,
    **subject: Any,
) -> None:
    """Measure what the folder RUN recorded, or an agent in the environment --env ID.

    \b
    agentic measure runs/0001-cartpole-v1-energy
    agentic measure --env CartPole-v1 --agent random --metric episode_return --seeds 5
    """
    from agentic.cli.measuring import Profiler, chosen, warned
    from agentic.cli.subjects import Source

    source = _source(registry, quiet, **subject)
    other = None if against is None else Source.of_run(against, registry, quiet, trust=subject["trust"])
    metrics, broken = chosen(names, settings, registry)
    profiler = Profiler(metrics, bool(names), not (no_references or against), quiet, broken)
    rows = profiler.rows(source, range(seed, seed + (subject["seeds"] or 1)))
    others = [] if other is None else profiler.rows(other, [seed])
    code = profiler.settle([*rows, *others])
    if as_json:
        found = [each.to_dict() for row in [*warned(rows, source), *warned(others, other)] for each in row.found]
        answer(json.dumps(found, indent=2, allow_nan=False))
    elif other is None:
        _print(source.label, rows)
    else:
        _print_both((source.label, other.label), rows, others)
    _keep(subject["run"], warned(rows, source))
    click.get_current_context().exit(code)


def _keep(run: str | None, rows: "list[Row]") -> None:
    """In the run's folder, for its report; what was measured there before and not now stays, and so does a bench's."""
    from pathlib import Path

    from agentic.metrics.results import Result

    if run is None or run.startswith("minari:") or not rows:
        return
    earlier = Result.read(Path(run))
    if earlier is not None and earlier.key:  # numbers of a bench, with its own parameters
        return
    before = {} if earlier is None else earlier.measurements
    Result({**before, **{row.name: row.found[0] for row in rows}}).keep(Path(run))


def _source(
    registry: Registry,
    quiet: bool,
    *,
    run: str | None,
    env: str | None,
    agent: str | None,
    seeds: int | None,
    episodes: int | None,
    trust: bool,
) -> "Source":
    from agentic.cli.starting import starting_tables
    from agentic.cli.subjects import Source
    from agentic.experiments.experiment import Experiment

    if (run is None) == (env is None):
        raise UserError("expected either the folder of a run or --env ID, as in `agentic measure --env CartPole-v1`")
    if run is not None:
        for name, value in {"agent": agent, "seeds": seeds, "episodes": episodes}.items():
            if value is not None:
                raise UserError(f"--{name} goes with --env: what is recorded in {run} stays as it is")
        return Source.of_run(run, registry, quiet, trust=trust)
    tables, _, reason = starting_tables(None, env, agent, registry)
    if reason and not quiet:
        say(reason, err=True)
    experiment = Experiment.of(tables, [] if episodes is None else [f"evaluate.episodes={episodes}"])
    return Source(f"{experiment.env.id}, {experiment.agent.name}", registry, quiet, experiment)


def _print(label: str, rows: "list[Row]") -> None:
    from agentic.cli.profile import profile_table
    from agentic.cli.terminal import show_table

    if not rows:
        say(f"nothing was measured of {label}; `agentic metrics` lists what each metric needs", err=True)
        return
    show_table(profile_table(label, rows))
    _warn(rows)


def _print_both(labels: tuple[str, str], rows: "list[Row]", others: "list[Row]") -> None:
    from agentic.cli.profile import comparison_table
    from agentic.cli.terminal import show_table

    theirs = {row.name: row for row in others}
    pairs = [(row, theirs[row.name]) for row in rows if row.name in theirs]
    if not pairs:
        say(f"no metric was measured of both {labels[0]} and {labels[1]}; see `agentic metrics`", err=True)
        return
    show_table(comparison_table(pairs, labels))
    _warn([row for pair in pairs for row in pair])


def _warn(rows: "list[Row]") -> None:
    for line in dict.fromkeys(f"{row.name}: {warning}" for row in rows for warning in row.warnings):
        say(f"warning: {line}")
