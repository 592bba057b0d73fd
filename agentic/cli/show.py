"""`agentic show`: a run from its folder alone, finished, interrupted or failed."""

import json
from math import nan
from shlex import quote

import click

from agentic.cli.completing import RUN
from agentic.cli.terminal import answer, json_option


@click.command()
@click.argument("folder", metavar="RUN", type=RUN)
@json_option("Print one JSON object, as `agentic run --json` did.")
def show(folder: str, as_json: bool) -> None:
    """Print what the run in the folder RUN recorded, and how to run it again or let it go on."""
    from agentic import Record
    from agentic.cli.tables import component_table, result_table, sparkline
    from agentic.cli.terminal import console, warn_of
    from agentic.metrics.summary import summarize
    from agentic.runs.files import is_own
    from agentic.runs.folder import RunFolder

    record, run = Record.salvage(folder), RunFolder(folder)
    warn_of(record)
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
