"""`agentic eval`: a saved agent evaluated again, on several seeds."""

import json
from typing import TYPE_CHECKING

import click

from agentic.cli import RUN, answer, json_option, say, with_registry
from agentic.plugins import Registry

if TYPE_CHECKING:
    from agentic import Interval
    from agentic_life.evaluation import Evaluation


@click.command("eval")
@click.argument("run", metavar="RUN", type=RUN)
@click.option("--episodes", type=click.IntRange(min=1), metavar="N", help="On each seed; if left out, as many as then.")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", default=5, show_default=True, help="So many seeds.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="The first; if left out, that of the run.")
@click.option(
    "--device", metavar="NAME", help="Where the agent computes: cpu, cuda, cuda:1, mps; if left out, as then."
)
@click.option("--trust", is_flag=True, help="Run what only the folder names: its files and modules.")
@with_registry
@json_option("Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def evaluate(
    run: str,
    episodes: int | None,
    seeds: int,
    seed: int | None,
    device: str | None,
    trust: bool,
    registry: Registry,
    as_json: bool,
    quiet: bool,
) -> None:
    """Evaluate the agent in the folder RUN, as it was when learning ended, with learning off.

    The first seed is the run's own: its episodes are those that the run evaluated.

    \b
    agentic eval runs/0001-cartpole-v1-energy --episodes 50 --seeds 10
    """
    from agentic_life.evaluating import Evaluator

    found = Evaluator(registry, trust, quiet, device).of(run, episodes, seeds, seed)
    if as_json:
        answer(json.dumps(found.to_dict(), allow_nan=False))
    else:
        _print(found)


def _print(found: "Evaluation") -> None:
    from rich.markup import escape
    from rich.table import Table

    from agentic.cli import number, show_table

    table = Table("seed", "episodes", "return", "95 % interval", title=f"Evaluation of {escape(found.subject)}")
    table.title_justify = "left"

    def add(name: str, count: int, value: float, interval: "Interval | None") -> None:
        known = interval is not None and interval.low == interval.low
        ends = f"[{number(interval.low)}, {number(interval.high)}]" if interval is not None and known else "-"
        table.add_row(name, f"{count:,}", "-" if value != value else number(value), escape(ends))

    for seed, (value, interval) in found.by_seed.items():
        add(str(seed), len(found.returns[seed]), value, interval)
    table.add_section()
    count = sum(map(len, found.returns.values()))
    add("mean over seeds", count, *found.mean)
    add("interquartile mean", count, *found.interquartile_mean)
    show_table(table)
    for note in found.notes:
        say(f"agentic: {note}", err=True)
