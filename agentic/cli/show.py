"""`agentic show`: a run from its folder alone, finished, interrupted or failed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as `agentic run --json` did.")
def show(folder: str, as_json: bool) -> None:
    """Print what the run in the folder RUN recorded, and how to run it again."""
    from agentic import Record
    from agentic.cli.tables import component_table, result_table, sparkline
    from agentic.cli.terminal import console
    from agentic.metrics.summary import summarize

    record = Record.open(folder)
    summary = summarize(record)
    if as_json:
        click.echo(json.dumps(summary, allow_nan=False))
        return
    out, values = console(), summary["return"]["values"]
    out.print(f"status: {_status(record.manifest, Path(folder))}", markup=False)
    out.print(result_table(summary))
    if values:
        out.print(f"returns, from {min(values):.4g} to {max(values):.4g}: {sparkline(values, out.encoding)}")
        out.print(", ".join(f"{value:.4g}" for value in values))
    out.print(component_table(summary["components"]))
    if (Path(folder) / "experiment.toml").is_file():
        files = [row["plugin"] for row in summary["components"] if row.get("sha256")]
        plugins = "".join(f" --plugin {name}.py" for name in dict.fromkeys(files))
        seed = record.manifest.get("seed", 0)
        out.print(
            f"run it again: agentic run {folder}/experiment.toml --seed {seed}{plugins}", markup=False, soft_wrap=True
        )


def _status(manifest: Mapping[str, Any], folder: Path) -> str:
    """How the run ended; one that was killed could not say so."""
    status = str(manifest.get("status", "unknown"))
    error = folder / "error.txt"
    if status == "failed" and error.is_file():
        return f"failed: {error.read_text(encoding='utf-8').strip().splitlines()[-1]} (all of it in {error})"
    return "running, or killed before it could say so" if status == "running" else status
