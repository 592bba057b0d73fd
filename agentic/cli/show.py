"""`agentic show`: a run from its folder alone, finished, interrupted or failed."""

import json
from math import nan
from shlex import quote
from typing import TYPE_CHECKING, Literal

import click

from agentic.cli.completing import RUN
from agentic.cli.terminal import answer, json_option, say
from agentic.errors import UserError, described

if TYPE_CHECKING:
    from agentic import Record


@click.command()
@click.argument("folder", metavar="RUN", type=RUN)
@click.option(
    "--episode", type=click.IntRange(min=0), metavar="N", help="Draw one episode, from 0 on as returns stand."
)
@click.option("--step", type=click.IntRange(min=0), metavar="K", help="With --episode: all of one step.")
@click.option("--phase", type=click.Choice(["learn", "evaluate"]), default="evaluate", show_default=True)
@json_option("Print one JSON object, as `agentic run --json` did.")
def show(
    folder: str, episode: int | None, step: int | None, phase: Literal["learn", "evaluate"], as_json: bool
) -> None:
    """Print what the run in the folder RUN recorded, and how to run it again or let it go on.

    With --episode one episode is drawn: action, reward, plan and belief of each step, energies over all.

    \b
    agentic show runs/0001-agentic-tmaze-v0-energy
    agentic show runs/0001-agentic-tmaze-v0-energy --episode 3 --step 0
    """
    from agentic import Record
    from agentic.cli.tables import component_table, result_table, sparkline
    from agentic.cli.terminal import console, warn_of
    from agentic.metrics.summary import summarize
    from agentic.runs.files import is_own
    from agentic.runs.folder import RunFolder

    record, run = Record.salvage(folder), RunFolder(folder)
    warn_of(record)
    if episode is None and (step is not None or phase != "evaluate"):
        raise UserError("--step and --phase go with --episode: say which, as in --episode 0")
    if episode is not None:
        if as_json:
            raise UserError("--episode is drawn for people: leave --json out; Record.episode has its numbers")
        _draw(record, episode, step, phase)
        return
    summary = summarize(record)
    if as_json:
        answer(json.dumps(summary, allow_nan=False))
        return
    out, values = console(), summary["return"]["values"]
    where = f" (all of it in {run.error_file})" if run.status.startswith("failed: ") else ""
    out.print(f"status: {run.status}{where}", markup=False)
    out.print(result_table(summary))
    if found := [value for value in values if value is not None]:
        bars = sparkline([nan if value is None else value for value in values], out.encoding)
        out.print(f"returns, from {min(found):.4g} to {max(found):.4g}: {bars}")
    if values:
        out.print(", ".join("not finite" if value is None else f"{value:.4g}" for value in values))
    out.print(component_table(summary["components"]))
    if is_own(run.experiment_file):
        if run.status != "finished":
            shown = f"let it go on: agentic run --resume {quote(folder)}{run.plugin_options}"
            out.print(shown, markup=False, soft_wrap=True)
        seed = quote(str(record.manifest.get("seed", 0)))
        out.print(
            f"run it again: agentic run {quote(str(run.experiment_file))} --seed {seed}{run.plugin_options}",
            markup=False,
            soft_wrap=True,
        )


def _draw(record: "Record", episode: int, step: int | None, phase: Literal["learn", "evaluate"]) -> None:
    """Draw an episode, or a step of one, as wide as the terminal is."""
    from pyarrow import ArrowException

    from agentic.cli.episode import Drawing
    from agentic.cli.terminal import console

    out = console()
    drawing = Drawing(record, record.episode(episode, phase), out.width, out.encoding)
    try:
        lines = [*(drawing.whole() if step is None else drawing.step(step))]
    except (LookupError, TypeError, ValueError, ArrowException) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{record.folder} holds no record that can be drawn, {described(error)}") from error
    for line in lines:
        say(line)
