"""Functions of installed commands, found as the command line finds the commands, by entry point."""

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from agentic.errors import UserError


def bench(battery: Any, folder: str | Path, **options: Any) -> Any:
    """The scores of a bench of agents side by side, carried out now: of every agent, world and metric.

    `battery` is a bench file or an `agentic_bench.Battery`, `folder` the bench's own; `options` are those of
    `agentic_bench.bench` (workers, files, observer). Raises UserError where no plugin offers the command `bench`.
    """
    return _function("bench")(battery, folder, **options)


def report(folder: str | Path, out: str | Path | None = None) -> Path:
    """The path of the page about a run or a bench, or of the index of a folder of those, which is written to `out`.

    See `agentic_report.report`. Raises UserError where no plugin offers the command `report`.
    """
    page: Path = _function("report")(folder, out)
    return page


def _function(command: str) -> Any:
    """The function of a command's name in the package of its entry point."""
    offers = entry_points(group="agentic.commands", name=command)
    for offer in sorted(offers, key=lambda offer: offer.dist is None or offer.dist.name != "agentic"):
        function = getattr(import_module(offer.module.partition(".")[0]), command, None)
        if callable(function):
            return function
    raise UserError(f"no installed plugin offers the function {command}: install one that has the command `{command}`")
