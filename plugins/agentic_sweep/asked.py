"""Sweeps asked for from Python: an experiment, the values that its settings take, and seeds."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentic import Experiment
from agentic.errors import UserError, shown
from agentic.experiments import example, read
from agentic.front import Settings, assignments, paths
from agentic.plugins import load
from agentic_sweep.sweeping import carried_out_sweep, check_built
from agentic_sweep.table import Swept
from agentic_sweep.tables import Range, SweepFile


def sweep(
    experiment: Any,
    folder: str | Path | None = None,
    *,
    vary: Mapping[str, Any] | None = None,
    seeds: int | Sequence[int] | None = None,
    settings: Settings = (),
    plugins: Any = (),
    **options: Any,
) -> Swept:
    """The runs of an experiment with every choice of values and every seed, side by side, as a table.

    `experiment` is a file or the name of an example, with or without a table [sweep], its tables, an `Experiment` or a
    `SweepFile`; `vary` are values by setting, as {"planner.horizon": [2, 4]}, or a range {"low": .1, "high": 1.0};
    `seeds` says how many, or which; `settings` are such as {"sweep.search": "random"}, `plugins` paths of theirs.
    `options` are those of `carried_out_sweep`: workers, executor, observer, out and fresh. Raises UserError for what
    does not fit.

    >>> import tempfile
    >>> from agentic_sweep import sweep
    >>> tables = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}, "evaluate": {"episodes": 5}}
    >>> [row["seeds"] for row in sweep(tables, tempfile.mkdtemp(), vary={"run.envs": [1, 5]}, seeds=2).choices]
    [2, 2]
    """
    files = [*paths(plugins), *paths(options.pop("files", ()))]
    chosen = sweep_file(experiment, settings, vary, seeds)
    check_built(chosen, load(files))
    return carried_out_sweep(chosen, folder, files=files, **options)


def sweep_file(
    given: Any,
    settings: Settings = (),
    vary: Mapping[str, Any] | None = None,
    seeds: int | Sequence[int] | None = None,
) -> SweepFile:
    """The sweep that is given. Raises UserError for what is none."""
    if not isinstance(vary, Mapping | None):
        raise UserError(f"vary takes values by setting, as {{'planner.horizon': [2, 4]}}, got {shown(vary)}")
    source, settings = "", assignments(settings)
    if isinstance(given, SweepFile):
        settings, given = [*given.settings, *settings], {**given.tables, "sweep": given.table.model_dump()}
    elif isinstance(given, Experiment):
        given = given.tables()
    elif isinstance(given, str | Path):
        name = Path(given).name if not Path(given).suffix and not Path(given).exists() else ""
        file = example(name) if name == str(given) and example(name).is_file() else given
        source, given = f"{file}: ", read(file)
    if not isinstance(given, Mapping):
        raise UserError(f"expected a sweep file, its tables or an experiment, got {shown(given)}")
    values = {str(name): _values(each) for name, each in (vary or {}).items()}
    return SweepFile.of(given, settings, vary=values, seeds=_seeds(seeds), source=source)


def _values(given: Any) -> Any:
    """Values as a file has them: those of an array or a range of Python's as a list."""
    if isinstance(given, Range):
        return given.model_dump()
    given = given.tolist() if hasattr(given, "tolist") else given
    plain = isinstance(given, str | Mapping) or not isinstance(given, Iterable)
    return given if plain else [each.item() if hasattr(each, "item") else each for each in given]


def _seeds(given: Any) -> Any:
    """Seeds as a file has them."""
    if given is None or isinstance(given, str):
        return given
    try:
        return operator.index(given)
    except TypeError:
        return [*map(operator.index, given)] if isinstance(given, Iterable) else given
