"""Functions of installed commands, found as the command line finds the commands, by entry point."""

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from agentic.errors import UserError, shown
from agentic.runs.record import Record


@runtime_checkable
class Kept(Protocol):
    """What lies in a folder: a record, the scores of a bench."""

    folder: Path | None


def bench(battery: Any = None, folder: str | Path | None = None, **options: Any) -> Any:
    """The scores of agents side by side, carried out now: of every agent, world and metric.

    `battery` is a bench file, an `agentic_bench.Battery`, or the agents themselves by their labels, each a name, a
    file or an object; without one, the battery that comes with agentic. `folder` is the bench's own; `options` are
    those of `agentic_bench.bench`: env, metrics, seeds, episodes, workers, out and so on. Raises UserError where no
    plugin offers the command `bench`.

    >>> import agentic, tempfile
    >>> agents = {"mine": lambda observation: 1, "random": "random"}
    >>> agentic.bench(agents, env="CartPole-v1", seeds=1, episodes=10, out=tempfile.mkdtemp())
    CartPole-v1:
    agent   episode_return
    mine    9.4 [8.837, 10.05]
    random  21.4 [13.61, 64.51]
    """
    return _function("bench")(battery, folder, **options)


def sweep(experiment: Any, folder: str | Path | None = None, **options: Any) -> Any:
    """The runs of an experiment on many seeds and with many values of its settings, side by side, as a table.

    `experiment` is a file, the name of an example, tables or an `Experiment`; `folder` is the sweep's own; `options`
    are those of `agentic_sweep.sweep`: vary, seeds, settings, workers, executor, out and so on. Raises UserError where
    no plugin offers the command `sweep`.

    >>> import agentic, tempfile
    >>> found = agentic.sweep("bandit", tempfile.mkdtemp(), vary={"evaluate.episodes": [5, 10]}, seeds=2)
    >>> [row["seeds"] for row in found.choices]
    [2, 2]
    """
    return _function("sweep")(experiment, folder, **options)


def compare(runs: Any, **options: Any) -> Any:
    """Runs in one environment compared: returns and learning curves of groups over seeds, and how they differ.

    `runs` are folders, patterns as "runs/*", records, sweeps, lists of those, or groups of those by label;
    `options` are those of `agentic_report.compare`: where, by, column, window and iqm. Raises UserError where nothing
    can be compared, and where no plugin offers the command `compare`.

    >>> import agentic, tempfile
    >>> out = tempfile.mkdtemp()
    >>> every = {name: agentic.run(name, "CartPole-v1", episodes=5, out=out) for name in ("random", "rock")}
    >>> [group.label for group in agentic.compare(every).groups]
    ['random', 'rock']
    """
    return _function("compare")(runs, **options)


def discover(recording: Any, **options: Any) -> Any:
    """The boundaries in a recording: which columns are world, sensors, actuators and inside of an object.

    `recording` is a file (Parquet, CSV, NPZ), the folder of a run, a record, "minari:ID", an array (steps, columns)
    or a mapping from names to arrays; `options` are those of `agentic_discovery.discover`: order, objects, lag,
    resolution, window, columns, episode and so on. Raises UserError where no plugin offers the command `discover`.

    >>> import agentic, numpy
    >>> noise = numpy.random.default_rng(0).standard_normal((500, 5))
    >>> agentic.discover(noise)
    <no boundary told: no four columns hang together (the largest part has 1): a boundary needs four>
    """
    return _function("discover")(recording, **options)


def report(subject: str | Path | Kept = "runs", out: str | Path | None = None) -> Path:
    """The path of the page about a run or a bench, or of the index of a folder of those, which is written to `out`.

    `subject` is the folder, a `Record`, or the scores of a bench that lie in one. See `agentic_report.report`. Raises
    UserError where no plugin offers the command `report`.

    >>> import agentic, tempfile
    >>> agentic.report(agentic.run("random", "CartPole-v1", episodes=2, out=tempfile.mkdtemp())).name
    'report.html'
    """
    folder = subject if isinstance(subject, str | Path) else _folder(subject)
    page: Path = _function("report")(folder, out)
    return page


def _folder(subject: Kept) -> Path:
    if not isinstance(subject, Kept):
        raise UserError(f"a page is about a folder, a Record or the scores of a bench, got {shown(subject)}")
    if subject.folder is None:
        kind = "record" if isinstance(subject, Record) else "bench"
        raise UserError(f"this {kind} lies in no folder that a page could be read from: give agentic.run out='runs'")
    return subject.folder


def _function(command: str) -> Any:
    """The function of a command's name in the package of its entry point."""
    offers = entry_points(group="agentic.commands", name=command)
    for offer in sorted(offers, key=lambda offer: offer.dist is None or offer.dist.name != "agentic"):
        function = getattr(import_module(offer.module.partition(".")[0]), command, None)
        if callable(function):
            return function
    raise UserError(f"no installed plugin offers the function {command}: install one that has the command `{command}`")
