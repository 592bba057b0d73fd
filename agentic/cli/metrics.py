"""`agentic metrics`: what can be measured, what each metric looks at and what it means."""

import inspect
import json
import re
from functools import partial
from typing import Any

import click

from agentic.cli.plugins import with_registry
from agentic.cli.terminal import answer, json_option, show_table
from agentic.errors import RunError, UserError, attempt
from agentic.plugins import Registry


@click.command()
@json_option("Rows as JSON on standard output.")
@with_registry
def metrics(as_json: bool, registry: Registry) -> None:
    """List the metrics there are."""
    rows = [_row(name, registry) for name in registry.names("metrics")]
    if as_json:
        answer(json.dumps(rows, indent=2))
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "looks at", "needs", "unit", "what", title="Metrics", title_justify="left")
    for row in rows:
        cells = (row["name"], row["access"], ", ".join(row["needs"]), row["unit"], row["summary"])
        table.add_row(*(escape(cell) for cell in cells))
    show_table(table)
    click.echo("As told for the parameters they start with. Measure: agentic measure RUN --metric NAME")


def _row(name: str, registry: Registry) -> dict[str, Any]:
    from agentic.cli.measuring import metric_of
    from agentic.plugins.parameters import accepted

    row: dict[str, Any] = {"name": name, "plugin": registry.component("metrics", name).plugin}
    metric = attempt(partial(metric_of, registry, {"name": name}))
    if isinstance(metric, UserError | RunError):  # a third party's: it may need parameters, or be broken
        return {**row, "access": "", "needs": [], "unit": "", "parameters": [], "summary": str(metric)}
    target = registry.resolve("metrics", name)
    return {
        **row,
        "access": metric.access.value,
        "needs": list(metric.needs),
        "unit": str(metric.unit),
        "parameters": list(accepted(target).names),
        "summary": _first_sentence(inspect.getdoc(target) or ""),
    }


def _first_sentence(text: str) -> str:
    """The first sentence of a docstring, on one line; a full stop within a number or a word ends nothing."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=\.)\s+(?=[A-Z`(])", paragraph, maxsplit=1)[0]
